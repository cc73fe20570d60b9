#pragma once
// Child: a program that was started with its arguments, no shell between, in a session and process
// group of its own, under limits. What it writes is read without blocking and kept up to a bound.
//
// Bounds: output_max bytes kept (the rest is read and counted), kErrorBytesMax of standard error,
// CPU seconds, address space, open files, file size, no core. The group is killed when the program
// ends, and when this object goes: nothing it started in its group stays behind.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "belfry/base/result.hpp"

namespace belfry::probe {

struct ChildLimits {
  std::size_t output_max = 16 * 1024;
  std::uint64_t cpu_seconds = 60;
  std::uint64_t memory_bytes = 512ULL << 20;
};

class Child {
 public:
  Child() = default;
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  Result<void> start(const std::vector<std::string>& argv, const ChildLimits& limits);
  int output_fd() const { return out_; }
  int error_fd() const { return err_; }
  int process_fd() const { return pidfd_; }  ///< readable when it has ended
  /// Takes what it wrote so far. False: nobody holds the other end any more.
  bool read_output();
  bool read_errors();
  /// Its end, once there: exit code, or 128 + signal. Kills what it left in its group.
  std::optional<int> ended();
  void kill_group() const;

  std::string output, errors;
  std::uint64_t cut = 0;  ///< bytes of output beyond the bound

 private:
  int pid_ = -1, pidfd_ = -1, out_ = -1, err_ = -1;
  std::size_t output_max_ = 0;
};

}  // namespace belfry::probe
