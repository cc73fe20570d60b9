#pragma once
// Random Bell programs, inventories and event streams from a seed. The program is text, so that the
// compiler is under test too; it is kept in pieces, so that a failing case can be made smaller.
//
// The world: five devices in three sites, a tree of uplinks, a mesh of links, some signals.
// Durations and gaps are short and often meet at full 10 ms, where order is decided.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "belfry/model/inventory.hpp"
#include "belfry/rules/program.hpp"

namespace belfry::testing {

/// SplitMix64: the same numbers everywhere, for ever.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_((seed + 0x1234567) * 0xda942042e4dd58b5ULL) {}
  std::uint64_t next();
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }
  bool chance(unsigned percent) { return next() % 100 < percent; }
  template <class T>
  const T& pick(const std::vector<T>& of) {
    return of[below(of.size())];
  }

 private:
  std::uint64_t state_;
};

/// One declaration. `lines` can go one by one; when it goes, whatever names it goes too.
struct Declaration {
  std::string name;
  std::string head, tail;
  std::vector<std::string> lines;
  std::vector<std::string> uses;
};
/// Not only messages. `close N`: a person closes the N-th live incident. `deaf N`: for N ms up to
/// now nobody listened. `rules`, `rows`: the other version of the rules, of the inventory.
struct RandomEvent {
  std::int64_t at_ns = 0;
  std::string node, via, msg;
  std::uint32_t repeat = 1;
};
/// The other version of the rules: in the declaration of that name `from` reads `to`; an empty
/// `from` takes the declaration out, and what names it.
struct Edit {
  std::string declaration, from, to;
};
struct RandomWorld {
  std::vector<std::string> sites;
  struct Device {
    std::string name, site, role;
    std::vector<std::string> spans;
  };
  std::vector<Device> devices;
  std::vector<std::pair<std::string, std::string>> behind, near;
  struct Works {
    std::string id;
    std::vector<std::string> refs;  ///< devices
    std::int64_t start_ns = 0, end_ns = 0;
    auto operator<=>(const Works&) const = default;
  };
  std::vector<Works> works;
  std::vector<std::pair<std::string, std::string>> links;  ///< l0, l1 ...: their ends, "" = missing
};
struct RandomCase {
  std::uint64_t seed = 0;
  std::vector<Declaration> declarations;
  RandomWorld world, later;  ///< later: after `rows`
  std::vector<Edit> edits;
  std::vector<RandomEvent> events;
};

RandomCase random_case(std::uint64_t seed);
std::string text_of(const RandomCase& c);   ///< the program
RandomCase edited(const RandomCase& c);     ///< the case whose program is the other version
std::string describe(const RandomCase& c);  ///< program, world and stream
/// Without declaration `name` and whatever names it.
RandomCase without(const RandomCase& c, const std::string& name);
std::shared_ptr<const Inventory> inventory_of(const RandomCase& c, const rules::Program& program,
                                              bool later = false);

}  // namespace belfry::testing
