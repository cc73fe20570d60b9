#pragma once
// SnapshotChild: a forked copy of this process that writes one snapshot and ends. The folds go on
// at once: the kernel copies a page only when one of both sides writes to it
// (docs/decisions/0013-snapshots-by-fork.md).
//
// Thread: started by the fold thread between two inputs, so that the copy is a state; waited for by
// the keeper. The child touches what the fold thread owns and its own file, nothing that another
// thread may have held at the fork. It dies with us, yields the processor to us, and is what the
// kernel ends first when memory runs out.
#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

#include "belfry/base/result.hpp"

namespace belfry {

class SnapshotChild {
 public:
  SnapshotChild() = default;
  SnapshotChild(SnapshotChild&& other) noexcept;
  SnapshotChild& operator=(SnapshotChild&& other) noexcept;
  ~SnapshotChild();  ///< ends a child that still runs

  /// Runs `write` in the child. Unavailable: the system gives no process (or this is a sanitizer's
  /// build, whose allocator does not survive a fork of many threads).
  static Result<SnapshotChild> start(const std::function<Result<void>()>& write);
  bool running() const { return pid_ > 0; }
  /// What became of it; nullopt: it still runs. Call it again until it says.
  std::optional<Result<void>> poll();

 private:
  std::string said() const;
  void stop();

  pid_t pid_ = 0;
  int why_ = -1;  ///< pipe: what went wrong, in words
};

}  // namespace belfry
