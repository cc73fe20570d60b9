#pragma once
// Result<T>: what a call that can fail returns. An Error carries one of few codes and one sentence
// that says what, where, what was expected and what to do. Never used per event (48 bytes, may
// allocate): event outcomes are enums that are counted.
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace belfry {

/// A code exists only where some caller reacts to exactly that kind of failure.
enum class Code : unsigned char {
  Invalid,      ///< the input is wrong: tell its author
  NotFound,     ///< the named thing does not exist
  Conflict,     ///< the state does not allow it (HTTP 409)
  Overloaded,   ///< try again later (HTTP 503)
  Unavailable,  ///< the outside does not answer
  Corrupt,      ///< stored bytes do not check
  Internal,     ///< our own mistake
};

constexpr std::string_view name(Code code) {
  constexpr std::string_view kNames[]{"invalid",     "not-found", "conflict", "overloaded",
                                      "unavailable", "corrupt",   "internal"};
  return kNames[static_cast<std::size_t>(code)];
}

struct Error {
  Code code = Code::Internal;
  std::string what;
};

template <class T = void>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result(tl::expected<T, Error> e) : tl::expected<T, Error>(std::move(e)) {}
};

template <class... A>
[[nodiscard]] tl::unexpected<Error> fail(Code code, fmt::format_string<A...> format, A&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(format, std::forward<A>(args)...)});
}

}  // namespace belfry

template <>
struct fmt::formatter<belfry::Error> : fmt::formatter<std::string_view> {
  auto format(const belfry::Error& error, format_context& context) const {
    return fmt::format_to(context.out(), "{}", error.what);
  }
};

#define BELFRY_CAT2(a, b) a##b
#define BELFRY_CAT(a, b) BELFRY_CAT2(a, b)
#define BELFRY_TRY_IMPL(tmp, ret, decl, ...)      \
  auto tmp = (__VA_ARGS__);                       \
  if (!tmp) [[unlikely]]                          \
    ret ::tl::unexpected(std::move(tmp).error()); \
  decl = *std::move(tmp)
/// BELFRY_TRY(auto x, f()): x is f()'s value, or this function returns f()'s error.
#define BELFRY_TRY(decl, ...) \
  BELFRY_TRY_IMPL(BELFRY_CAT(belfry_try_, __COUNTER__), return, decl, __VA_ARGS__)
#define BELFRY_CO_TRY(decl, ...) \
  BELFRY_TRY_IMPL(BELFRY_CAT(belfry_try_, __COUNTER__), co_return, decl, __VA_ARGS__)
/// For Result<void>: returns the error if there is one.
#define BELFRY_CHECK_OK(...)                                     \
  do {                                                           \
    if (auto belfry_r_ = (__VA_ARGS__); !belfry_r_) [[unlikely]] \
      return ::tl::unexpected(std::move(belfry_r_).error());     \
  } while (0)
