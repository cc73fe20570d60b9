#pragma once
// ApiClient: HTTP to a running server, for the command line. ServerSentEvents: the feed's framing.
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "belfry/base/result.hpp"
#include "client_commands.hpp"

namespace belfry {

/// Bytes in, whole events out, at any cut. Bounds: a line of 1 MiB; longer ones are dropped.
class ServerSentEvents {
 public:
  struct Event {
    std::string event = "message", id, data;
  };
  explicit ServerSentEvents(std::function<void(const Event&)> sink) : sink_(std::move(sink)) {}
  void feed(std::string_view bytes);

 private:
  void line(std::string_view text);
  std::function<void(const Event&)> sink_;
  std::string rest_;
  Event event_;
  bool has_data_ = false;
};

class ApiClient {
 public:
  /// Finds server and token; Invalid or NotFound with what to do.
  static Result<ApiClient> make(const ClientArguments& arguments);
  ApiClient(ApiClient&&) noexcept;
  ~ApiClient();

  struct Answer {
    int status = 0;
    std::string body;
  };
  /// Unavailable: no server there, in words. `path` begins with `/`; a body makes it a POST.
  Result<Answer> ask(const std::string& path, const std::string* body = nullptr);
  /// Streams until the connection ends (that is no error), or the sink returns false.
  Result<int> stream(const std::string& path, const std::string& last_event_id,
                     const std::function<bool(std::string_view)>& sink);
  const std::string& server() const;

 private:
  struct Impl;
  explicit ApiClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// %-encoding of one query value or path part.
std::string percent_encode(std::string_view text);

}  // namespace belfry
