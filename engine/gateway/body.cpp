#include "body.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "belfry/base/text.hpp"

namespace belfry::gateway {

namespace json = boost::json;

struct Body::Impl {
  json::object object;
  std::vector<std::string_view> seen;
  std::string error;

  const json::value* find(std::string_view key) {
    seen.push_back(key);
    const json::value* v = object.if_contains({key.data(), key.size()});
    return v == nullptr || v->is_null() ? nullptr : v;
  }
};

namespace {
std::string_view view(const json::string& s) { return {s.data(), s.size()}; }
}  // namespace

Body::Body(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Body::~Body() = default;
Body::Body(Body&&) noexcept = default;

Result<Body> Body::read(std::string_view text) {
  auto impl = std::make_unique<Impl>();
  if (!trim(text).empty()) {
    constexpr std::size_t kDepthMax = 8;
    json::parse_options options;
    options.max_depth = kDepthMax;
    json::error_code error;
    json::value v = json::parse({text.data(), text.size()}, error, {}, options);
    if (error || !v.is_object()) {
      return fail(Code::Invalid, "the body: expected a JSON object{}{}", error ? ": " : "",
                  error ? error.message() : "");
    }
    impl->object = std::move(v.get_object());
  }
  return Body(std::move(impl));
}

void Body::text(std::string_view key, std::string& to) {
  if (const json::value* v = impl_->find(key)) {
    if (v->is_string()) {
      to = view(v->get_string());
    } else {
      wrong(fmt::format("'{}': expected a text", key));
    }
  }
}

void Body::number(std::string_view key, std::uint64_t& to) {
  if (const json::value* v = impl_->find(key)) {
    if (v->is_int64() && v->get_int64() >= 0) {
      to = static_cast<std::uint64_t>(v->get_int64());
    } else {
      wrong(fmt::format("'{}': expected a whole number from 0", key));
    }
  }
}

void Body::texts(std::string_view key, std::vector<std::string>& to) {
  const json::value* v = impl_->find(key);
  if (v == nullptr) {
    return;
  }
  if (v->is_string()) {
    to.emplace_back(view(v->get_string()));
    return;
  }
  const json::array* list = v->if_array();
  if (list == nullptr || !std::all_of(list->begin(), list->end(),
                                      [](const json::value& one) { return one.is_string(); })) {
    return wrong(fmt::format("'{}': expected a text or a list of texts", key));
  }
  for (const json::value& one : *list) {
    to.emplace_back(view(one.get_string()));
  }
}

bool Body::has(std::string_view key) const {
  return impl_->object.if_contains({key.data(), key.size()}) != nullptr;
}

void Body::wrong(std::string what) {
  if (impl_->error.empty()) {
    impl_->error = std::move(what);
  }
}

std::optional<Response> Body::finish() {
  for (const auto& pair : impl_->object) {
    const std::string_view key(pair.key().data(), pair.key().size());
    if (std::find(impl_->seen.begin(), impl_->seen.end(), key) == impl_->seen.end()) {
      const std::string_view near = nearest(key, impl_->seen);
      wrong(fmt::format("unknown member '{}'{}", printable(key, 60),
                        near.empty() ? "" : fmt::format(", did you mean '{}'?", near)));
    }
  }
  return impl_->error.empty() ? std::nullopt : std::optional(problem(400, impl_->error));
}

}  // namespace belfry::gateway
