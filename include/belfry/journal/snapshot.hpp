#pragma once
// Snapshots: the folds' state as files `snapshots/<seq>`: versioned, checksummed, written whole or
// not at all. Two are kept; the newest valid one wins.
#include <string>
#include <string_view>
#include <vector>

#include "belfry/base/result.hpp"
#include "belfry/model/ids.hpp"

namespace belfry {

class SnapshotFiles {
 public:
  explicit SnapshotFiles(std::string store_dir);
  Result<void> write(Seq seq, std::string_view state);
  /// The same under a name that list() and newest() do not see, until adopt() gives it its own: a
  /// snapshot has a name only when the journal holds its seq.
  Result<void> write_aside(Seq seq, std::string_view state);
  Result<void> adopt(Seq seq);
  void remove_aside() const;  ///< leftovers of a process that was killed
  /// Seqs of the files, oldest first; tmp and foreign files are not among them.
  std::vector<Seq> list() const;
  Result<std::string> read(Seq seq) const;
  struct Found {
    Seq seq;  ///< 0: none
    std::string state;
    std::vector<std::string> skipped;  ///< why newer ones were not taken
  };
  /// The newest valid one at or before `last`.
  Found newest(Seq last) const;
  /// Removes all but the two newest.
  void prune() const;
  const std::string& dir() const { return dir_; }

 private:
  std::string dir_;
};

}  // namespace belfry
