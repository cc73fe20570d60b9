#include "belfry/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace belfry::detail {

void check_failed(const char* file, int line, const char* what) noexcept {
  std::fprintf(stderr, "belfry: broken promise at %s:%d: %s\n", file, line, what);
  std::abort();
}

}  // namespace belfry::detail
