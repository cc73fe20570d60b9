// Any expressions, any event: the bytecode gives what evaluate() gives, and with fewer steps than
// it needs it gives none and says so.
#include <cstdlib>

#include "expressions_for_test.hpp"
#include "residual.hpp"

namespace {

using namespace belfry;
using namespace belfry::rules;

struct World {
  Program program;
  std::shared_ptr<const Inventory> rows;
  World() {
    program.schema = test::schema();
    rows = test::inventory(program.schema);
  }
};

void must(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const World world;
  constexpr std::uint32_t kExpressions = 6;
  constexpr int kAsks = 24;
  test::Expressions choices(std::span(data, size));
  Residuals residuals;
  std::vector<const Expr*> wanted;
  for (std::uint32_t i = 0; i < kExpressions; ++i) {
    wanted.push_back(choices.chance(2) ? choices.condition(4) : choices.any(4));
    residuals.add(*wanted.back(), i % 2);
  }
  residuals.finish();
  Registers registers(residuals);
  const test::RandomEvent event(choices);
  Arena arena;
  Env env;
  env.program = &world.program;
  env.inventory = world.rows.get();
  env.event = &event.event;
  env.vars = event.holes;
  env.arena = &arena;
  registers.next_event();
  for (int ask = 0; ask < kAsks; ++ask) {
    if (choices.chance(4)) {
      registers.next_event();
    }
    const std::uint32_t i = choices.pick(kExpressions);
    const std::string expected = test::shown(evaluate(*wanted[i], env));
    bool over = false;
    Env bounded = env;
    bounded.steps_max = choices.chance(2) ? kLineStepsMax : 1 + choices.pick(40);
    const Value got = registers.run(i, bounded, over);
    must(over ? got.is_none() : test::shown(got) == expected);
    must(!over || bounded.steps_max < kLineStepsMax);
  }
  return 0;
}
