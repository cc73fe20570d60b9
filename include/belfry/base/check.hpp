#pragma once
// BELFRY_CHECK: our own mistakes end the process, in every build, with the place and the reason.
// BELFRY_DCHECK: the same in hot loops, in builds without NDEBUG only.
#include <string_view>

namespace belfry::detail {
[[noreturn]] void check_failed(const char* file, int line, const char* what) noexcept;
}

#define BELFRY_CHECK(x)                                       \
  do {                                                        \
    if (!(x)) [[unlikely]]                                    \
      ::belfry::detail::check_failed(__FILE__, __LINE__, #x); \
  } while (0)
#ifdef NDEBUG
#define BELFRY_DCHECK(x) \
  do {                   \
  } while (0)
#else
#define BELFRY_DCHECK(x) BELFRY_CHECK(x)
#endif
