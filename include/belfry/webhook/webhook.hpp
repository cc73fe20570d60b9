#pragma once
// Webhook: events that come as JSON over HTTP. The gateway owns the connection; this collector
// turns one request's body into events, hands them over in batches and says when they are durable.
//
//   body ──parse, check all──> post ──poll()──> intake ──> port ... committed ──> 200
//
// Thread: the edge thread only. Owns: its Intake (one per Port).
// Bounds: 10,000 events a request, 64 KiB and 64 attributes an event, depth 8. A request with one
// bad event is refused as a whole, so that a client never has to guess what was taken. Drops:
// nothing. A full ring holds the post back (the gateway answers 503 when it takes too long).
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/base/result.hpp"
#include "belfry/intake/intake.hpp"

namespace belfry {

/// How a body is read: one JSON value (an object or an array of them), or one object per line.
enum class BodyForm : unsigned char { Json, JsonLines };

/// Where another program's JSON says what. Fields are JSON pointers (RFC 6901) into one alert; the
/// first that is there counts. One that begins with `^` reads from the body's root.
struct AlertForm {
  std::string name;  ///< in the path: POST /api/v1/alerts/NAME
  std::string type = "alert";
  std::string list;  ///< where the list of alerts stands; empty: the body is one alert or a list
  using Pointers = std::vector<std::string>;
  Pointers node, alert, id, state, level, message, starts, ends;
  Pointers labels;                            ///< objects whose members become `label.NAME`
  std::map<std::string, std::string> states;  ///< their word -> firing | resolved
  std::map<std::string, std::string> levels;  ///< their word -> severity, beyond the usual words
};

/// One request's events on their way. Destroying it before all were handed over drops the rest:
/// only for connections whose answer nobody waits for any more.
class EventPost {
 public:
  enum class State : unsigned char {
    Pushing,    ///< the ring is full: not all events are handed over yet
    Waiting,    ///< all handed over, not durable yet
    Committed,  ///< durable: answer 200
  };
  virtual ~EventPost() = default;
  virtual std::size_t events() const = 0;
  /// Event types that no rule file declares: taken, but nothing can match them.
  virtual const std::vector<std::string>& unknown_types() const = 0;
  /// Goes on as far as possible without waiting.
  virtual State poll() = 0;
};

/// What the gateway needs of the collector.
class EventDoor {
 public:
  virtual ~EventDoor() = default;
  /// Disk nearly full or shutting down: answer 503 without looking at the body.
  virtual bool refusing() const = 0;
  /// Checks the whole body. Invalid: which event, which field, what was expected.
  virtual Result<std::unique_ptr<EventPost>> open(std::string_view body, BodyForm form,
                                                  std::string_view source) = 0;
  /// The same for alerts of another program. NotFound: no form of that name, with those there are.
  virtual Result<std::unique_ptr<EventPost>> open_alerts(std::string_view body,
                                                         std::string_view form,
                                                         std::string_view source) = 0;
  /// To be called every 20 ms or so, posts or none: shows new versions, hands over what is due.
  virtual void tick() = 0;
  /// For a clean stop: hands over what is open.
  virtual void finish() = 0;
};

struct WebhookOptions {
  std::size_t events_max = 10'000;          ///< a request; raised: longer turns of the edge thread
  std::size_t event_bytes_max = 64 * 1024;  ///< texts and names of one event
  std::size_t attrs_max = 64;               ///< an event
  std::size_t depth_max = 8;                ///< of nested objects
  /// Is this event type declared by the rules that run? Asked on the edge thread; empty = not
  /// checked.
  std::function<bool(std::string_view type)> declared;
  std::vector<AlertForm> forms;  ///< beside the built-in ones; the same name replaces one
};

class WebhookCollector final : public EventDoor {
 public:
  WebhookCollector(Port& port, Clock& clock, Ledger& ledger, Metrics& metrics, IntakeOptions intake,
                   WebhookOptions options = {});
  ~WebhookCollector() override;
  bool refusing() const override;
  Result<std::unique_ptr<EventPost>> open(std::string_view body, BodyForm form,
                                          std::string_view source) override;
  Result<std::unique_ptr<EventPost>> open_alerts(std::string_view body, std::string_view form,
                                                 std::string_view source) override;
  void tick() override;
  void finish() override;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  ///< shared with posts under way; the last one lets go
};

}  // namespace belfry
