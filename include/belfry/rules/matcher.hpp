#pragma once
// Matcher: the stateless half of a program, run by collectors. Event type and trap OID or vendor
// tag find clauses by hash; free text by literal anchors (vectorscan) and the template matcher
// behind them. Cost does not grow with clauses that do not match.
//
// Thread: one Matcher per collector thread (it has scratch); the program and inventory it was made
// of are shared. Writes only into the batch.
#include <memory>

#include "belfry/model/batch.hpp"
#include "belfry/model/inventory.hpp"
#include "belfry/rules/program.hpp"

namespace belfry::rules {

class Matcher {
 public:
  Matcher(std::shared_ptr<const Program> program, std::shared_ptr<const Inventory> inventory);
  ~Matcher();
  Matcher(Matcher&&) noexcept;
  /// Another one for another thread; what was compiled is shared.
  Matcher clone() const;
  /// Appends the matches of events [from, end) to batch.matches; keys go into batch.arena. A value
  /// of a parameter named `ifname` that is an alias in the ports table is replaced by the port's
  /// name.
  void match(Batch& batch, std::size_t from = 0);
  /// What it has looked at since it was made: heads compared with an event, lines whose conditions
  /// were asked. Neither grows with lines that do not match.
  struct Looks {
    std::uint64_t heads = 0, lines = 0;
  };
  const Looks& looks() const;
  const Program& program() const;
  const Inventory& inventory() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry::rules
