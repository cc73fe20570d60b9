#pragma once
// Ledger: the count of every input that was refused, shed or lost, by collector, source and reason;
// and of what was received and stored, so that received = stored + folded + refusals, exactly.
//
// Thread: any; each collector thread writes its own rows (a short lock per batch, not per event:
// collectors add counts they gathered). Bounds: sources_max per collector, then the source `other`.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace belfry {

struct LedgerRow {
  std::string collector;  ///< name in the configuration: "syslog-udp"
  std::string source;     ///< address; empty for the collector as a whole; "other" past the bound
  std::string reason;  ///< "received", "stored", "folded", or why it was refused: "ring-full" ...
  std::uint64_t count = 0;
};

class Ledger {
 public:
  explicit Ledger(std::size_t sources_max = 10'000);
  ~Ledger();
  void add(std::string_view collector, std::string_view source, std::string_view reason,
           std::uint64_t count = 1);
  /// One consistent copy, sorted by collector, source, reason.
  std::vector<LedgerRow> rows() const;
  /// Sum over sources of all reasons but received, stored, folded.
  std::uint64_t refused() const;
  /// Keeps the first bytes of the last refused inputs for inspection: 64 of them, 256 bytes each.
  void sample(std::string_view collector, std::string_view source, std::string_view reason,
              std::string_view bytes);
  struct Sample {
    std::string collector, source, reason, bytes;
  };
  std::vector<Sample> samples() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry
