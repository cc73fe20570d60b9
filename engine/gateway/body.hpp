#pragma once
// Body: reads a small JSON object of a command; the first mistake is what the client is told.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/base/result.hpp"
#include "http.hpp"

namespace belfry::gateway {

class Body {
 public:
  /// An empty body is an empty object.
  static Result<Body> read(std::string_view text);
  ~Body();
  Body(Body&&) noexcept;

  void text(std::string_view key, std::string& to);
  void number(std::string_view key, std::uint64_t& to);
  /// A text or a list of texts.
  void texts(std::string_view key, std::vector<std::string>& to);
  bool has(std::string_view key) const;
  void wrong(std::string what);
  /// The first mistake, unknown members included.
  std::optional<Response> finish();

 private:
  struct Impl;
  explicit Body(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace belfry::gateway
