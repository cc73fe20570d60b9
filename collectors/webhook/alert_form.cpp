#include "belfry/webhook/alert_form.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <optional>

#include "belfry/base/text.hpp"
#include "json_reader.hpp"

namespace belfry {
namespace {

using namespace webhook;  // json_reader.hpp

constexpr std::string_view kFiring = "firing";
constexpr std::string_view kResolved = "resolved";
/// Go's zero time: what Alertmanager says when it does not know.
constexpr std::string_view kNoTime = "0001-01-01";

/// Words of programs that are neither X.733 nor syslog.
struct LevelWord {
  std::string_view word;
  std::string_view level;
};
constexpr std::array kForeignLevels{
    LevelWord{"disaster", "critical"},   LevelWord{"page", "critical"},
    LevelWord{"fatal", "critical"},      LevelWord{"high", "major"},
    LevelWord{"average", "minor"},       LevelWord{"low", "warning"},
    LevelWord{"information", "info"},    LevelWord{"informational", "info"},
    LevelWord{"none", "info"},           LevelWord{"ok", "cleared"},
    LevelWord{"not classified", "info"}, LevelWord{"unknown", "indeterminate"},
    LevelWord{"not_classified", "info"}, LevelWord{"up", "cleared"},
    LevelWord{"down", "critical"},       LevelWord{"normal", "cleared"},
};

/// `db-1:9100`, `https://db-1/x`, `[2001:db8::1]:9100` -> the host alone.
std::string_view host_of(std::string_view target) {
  if (const std::size_t scheme = target.find("://"); scheme != std::string_view::npos) {
    target.remove_prefix(scheme + 3);
  }
  target = target.substr(0, target.find_first_of("/?#"));
  if (target.starts_with('[')) {
    const std::size_t end = target.find(']');
    return end == std::string_view::npos ? target : target.substr(1, end - 1);
  }
  const std::size_t colon = target.find(':');
  return colon != std::string_view::npos && target.find(':', colon + 1) == std::string_view::npos
             ? target.substr(0, colon)
             : target;  // more colons: an IPv6 address
}

/// Pointers to what is an address with a port, by the custom of the programs that send it.
bool is_target(std::string_view pointer) {
  return pointer.ends_with("/instance") || pointer.ends_with("/target");
}

class Decoder {
 public:
  Decoder(const AlertForm& form, const json::value& root, Instant now,
          const WebhookOptions& options, Arena& arena)
      : form_(form), root_(root), now_(now), options_(options), arena_(arena) {}

  /// Empty when the alert is good.
  std::string decode(const json::value& alert, Event& e) {
    alert_ = &alert;
    attrs_.clear();
    bytes_ = 0;
    error_.clear();
    e.type = keep(form_.type);
    e.kind = form_.type == name(EventKind::Probe) ? EventKind::Probe : EventKind::Alert;
    node(e);
    const bool probe = e.kind == EventKind::Probe;
    add_text(probe ? "check" : "name", text_at(form_.alert).value_or(""));
    const std::string id = text_at(form_.id).value_or("");
    e.message = keep(text_at(form_.message).value_or(""));
    level(e);
    if (const auto starts = time_at(form_.starts, "starts")) {
      e.stamp = *starts;
    }
    state(time_at(form_.ends, "ends"));
    std::map<std::string, std::string> labels;
    for (const std::string& pointer : form_.labels) {
      if (const json::value* found = at(pointer)) {
        add_labels(*found, labels);
      }
    }
    e.id = keep(!id.empty() || labels.empty() ? id : alert_fingerprint(labels));
    add_text("id", e.id);
    add_text("source", form_.name);
    e.attrs = arena_.copy(std::span<const Attr>(attrs_));
    return error_;
  }

 private:
  const json::value* at(std::string_view pointer) const {
    const bool root = pointer.starts_with('^');
    json::error_code error;
    const auto path = pointer.substr(root ? 1 : 0);
    return (root ? root_ : *alert_).find_pointer({path.data(), path.size()}, error);
  }
  /// The first that is there and says something, with the pointer that led to it.
  const json::value* first(const AlertForm::Pointers& pointers,
                           std::string_view* which = nullptr) const {
    for (const std::string& pointer : pointers) {
      const json::value* found = at(pointer);
      if (found != nullptr && !found->is_null() &&
          !(found->is_string() && found->get_string().empty())) {
        if (which != nullptr) {
          *which = pointer;
        }
        return found;
      }
    }
    return nullptr;
  }
  static std::optional<std::string> plain(const json::value& v) {
    if (v.is_string()) {
      return std::string(text(v.get_string()));
    }
    if (v.is_bool()) {
      return std::string(v.get_bool() ? "true" : "false");
    }
    if (v.is_number()) {
      const double d = v.to_number<double>();
      constexpr double kWholeMax = 9e15;
      if (d > -kWholeMax && d < kWholeMax &&
          d == static_cast<double>(static_cast<std::int64_t>(d))) {
        return std::to_string(static_cast<std::int64_t>(d));  // a 2.0 is a 2
      }
      return fmt::format("{}", d);
    }
    return std::nullopt;
  }
  std::optional<std::string> text_at(const AlertForm::Pointers& pointers,
                                     std::string_view* which = nullptr) {
    std::string_view pointer;
    const json::value* found = first(pointers, &pointer);
    if (found == nullptr) {
      return std::nullopt;
    }
    if (which != nullptr) {
      *which = pointer;
    }
    auto out = plain(*found);
    if (!out) {
      wrong(pointer, "a text or a number", kind_word(*found));
    }
    return out;
  }
  std::optional<Instant> time_at(const AlertForm::Pointers& pointers, std::string_view what) {
    std::string_view pointer;
    const json::value* found = first(pointers, &pointer);
    if (found == nullptr ||
        (found->is_string() && text(found->get_string()).starts_with(kNoTime))) {
      return std::nullopt;
    }
    const auto out = instant_of(*found);
    if (!out) {
      wrong(pointer, fmt::format("a time for '{}', RFC 3339 or epoch seconds", what),
            plain(*found).value_or(std::string(kind_word(*found))));
    }
    return out;
  }

  void node(Event& e) {
    std::string_view which;
    const std::string given = text_at(form_.node, &which).value_or("");
    e.node = keep(is_target(which) ? host_of(given) : std::string_view(given));
  }

  void level(Event& e) {
    std::string_view which;
    const auto given = text_at(form_.level, &which);
    if (!given) {
      return;
    }
    const auto own = form_.levels.find(*given);
    std::string_view word = own != form_.levels.end() ? std::string_view(own->second) : *given;
    for (const LevelWord& foreign : kForeignLevels) {
      if (iequals(word, foreign.word)) {
        word = foreign.level;
      }
    }
    if (const auto code = level_code(word)) {
      e.severity = *code;  // another word is a label of theirs: no reason to refuse the alert
    }
  }

  void state(std::optional<Instant> ends) {
    std::string_view which;
    const auto given = text_at(form_.state, &which);
    std::string_view state = kFiring;
    if (given) {
      const auto known = std::find_if(form_.states.begin(), form_.states.end(),
                                      [&](const auto& s) { return iequals(s.first, *given); });
      if (known == form_.states.end()) {
        return wrong(which, "one of " + words(), *given);
      }
      state = known->second;
    }
    if (form_.type == name(EventKind::Probe)) {
      add_text("vantage", form_.name);
      return add_text("status", state);
    }
    if (ends && *ends <= now_) {
      state = kResolved;
    }
    add_text("state", state);
    if (ends && state == kFiring) {
      add("ends", Value::time(*ends));
    }
  }
  std::string words() const {
    std::string out;
    for (const auto& [word, meaning] : form_.states) {
      out += (out.empty() ? "" : ", ") + word;
    }
    return out;
  }

  void add_labels(const json::value& from, std::map<std::string, std::string>& labels) {
    const json::object* object = from.if_object();
    if (object == nullptr) {
      return;
    }
    for (const auto& pair : *object) {
      const auto value = plain(pair.value());
      if (!value || value->empty()) {  // an empty label is no label (Prometheus' data model)
        continue;
      }
      add_text(fmt::format("label.{}", key_of(pair)), *value);
      labels.emplace(key_of(pair), *value);
    }
  }

  void add_text(std::string_view name, std::string_view value) {
    if (!value.empty()) {
      add(name, Value::string(keep(value)));
    }
  }
  void add(std::string_view name, Value value) {
    if (attrs_.size() >= options_.attrs_max) {
      if (error_.empty()) {
        error_ = fmt::format("the alert has more than {} fields", options_.attrs_max);
      }
      return;
    }
    attrs_.push_back({keep(name), value});
  }
  std::string_view keep(std::string_view s) {
    bytes_ += s.size();
    if (bytes_ > options_.event_bytes_max) {
      if (error_.empty()) {
        error_ = fmt::format("the alert has more than {} bytes of text", options_.event_bytes_max);
      }
      return {};
    }
    return arena_.copy(s);
  }
  void wrong(std::string_view field, std::string_view expected, std::string_view got) {
    if (error_.empty()) {
      error_ = fmt::format("'{}': expected {}, got '{}'", printable(field, 64), expected,
                           printable(got, 64));
    }
  }

  const AlertForm& form_;
  const json::value& root_;
  Instant now_;
  const WebhookOptions& options_;
  Arena& arena_;
  const json::value* alert_ = nullptr;
  std::vector<Attr> attrs_;
  std::size_t bytes_ = 0;
  std::string error_;
};

const AlertForm::Pointers kLabelNodes{"/labels/node",  "/labels/device",   "/labels/hostname",
                                      "/labels/host",  "/labels/nodename", "/labels/instance",
                                      "/labels/target"};

AlertForm prometheus() {
  AlertForm f;
  f.name = "prometheus";
  f.node = kLabelNodes;
  f.alert = {"/labels/alertname"};
  f.id = {"/fingerprint"};
  f.level = {"/labels/severity", "/labels/level", "/labels/priority"};
  f.message = {"/annotations/summary", "/annotations/message", "/annotations/description"};
  f.starts = {"/startsAt"};
  f.ends = {"/endsAt"};
  f.labels = {"/labels"};
  return f;
}

/// Alertmanager's webhook, version 4; Grafana's is the same with more fields.
AlertForm alertmanager(std::string name) {
  AlertForm f = prometheus();
  f.name = std::move(name);
  f.list = "/alerts";
  f.state = {"/status"};
  f.states = {{"firing", "firing"}, {"resolved", "resolved"}};
  return f;
}

AlertForm zabbix() {
  AlertForm f;
  f.name = "zabbix";
  f.node = {"/host", "/host_name", "/hostname", "/host_host", "/host_ip"};
  f.alert = {"/trigger_name", "/name", "/event_name", "/alert_subject", "/subject"};
  f.id = {"/trigger_id", "/event_id", "/eventid", "/id"};
  f.state = {"/event_value", "/value", "/status"};
  f.states = {{"1", "firing"},         {"0", "resolved"},  {"problem", "firing"},
              {"ok", "resolved"},      {"true", "firing"}, {"false", "resolved"},
              {"resolved", "resolved"}};
  f.level = {"/event_nseverity", "/nseverity", "/event_severity", "/severity"};
  f.levels = {{"5", "critical"}, {"4", "major"}, {"3", "minor"},
              {"2", "warning"},  {"1", "info"},  {"0", "info"}};
  f.message = {"/alert_message", "/message", "/event_opdata", "/opdata"};
  f.labels = {"/tags"};
  return f;
}

/// An event of Icinga 2's event stream (StateChange, CheckResult), or what a notification script
/// sends.
AlertForm icinga2() {
  AlertForm f;
  f.name = "icinga2";
  f.node = {"/host", "/host_name", "/hostname"};
  f.alert = {"/service", "/service_name", "/servicename", "/check_command"};
  f.id = {"/id"};
  f.state = {"/state", "/service_state", "/host_state", "/check_result/state"};
  f.states = {{"0", "resolved"},     {"1", "firing"},         {"2", "firing"},
              {"3", "firing"},       {"ok", "resolved"},      {"up", "resolved"},
              {"warning", "firing"}, {"critical", "firing"},  {"unknown", "firing"},
              {"down", "firing"},    {"recovery", "resolved"}};
  f.level = f.state;
  f.levels = {{"0", "cleared"}, {"1", "warning"}, {"2", "critical"}, {"3", "indeterminate"}};
  f.message = {"/check_result/output", "/output", "/service_output", "/host_output"};
  f.starts = {"/timestamp"};
  return f;
}

AlertForm librenms() {
  AlertForm f;
  f.name = "librenms";
  f.node = {"/hostname", "/sysName", "/display"};
  f.alert = {"/name", "/rule", "/title"};
  f.id = {"/alert_id", "/uid", "/id"};
  f.state = {"/state"};
  f.states = {{"0", "resolved"},         {"1", "firing"},     {"2", "firing"},
              {"3", "firing"},           {"4", "firing"},     {"5", "firing"},
              {"recovered", "resolved"}, {"alert", "firing"}, {"ok", "resolved"}};
  f.level = {"/severity"};
  f.message = {"/msg", "/title"};
  f.labels = {"/labels"};
  return f;
}

/// A passive check result as NSCA and NRDP carry it: a plugin's exit code and its line.
AlertForm passive() {
  AlertForm f;
  f.name = "passive";
  f.type = "probe";
  f.node = {"/host", "/host_name", "/hostname"};
  f.alert = {"/service", "/service_description", "/check"};
  f.state = {"/code", "/return_code", "/exit_status", "/state"};
  f.states = {{"0", "up"},  {"1", "degraded"},       {"2", "down"},        {"3", ""},
              {"ok", "up"}, {"warning", "degraded"}, {"critical", "down"}, {"unknown", ""}};
  f.message = {"/output", "/plugin_output"};
  return f;
}

}  // namespace

std::span<const AlertForm> builtin_alert_forms() {
  static const std::array kForms{prometheus(),
                                 alertmanager("alertmanager"),
                                 alertmanager("grafana"),
                                 zabbix(),
                                 icinga2(),
                                 librenms(),
                                 passive()};
  return kForms;
}

std::string check_alert_form(const AlertForm& form) {
  for (const AlertForm::Pointers* pointers :
       {&form.node, &form.alert, &form.id, &form.state, &form.level, &form.message, &form.starts,
        &form.ends, &form.labels}) {
    for (const std::string& pointer : *pointers) {
      if (!pointer.starts_with('/') && !pointer.starts_with("^/")) {
        return fmt::format(
            "'{}': expected a JSON pointer, as /labels/host (or ^/host from the root)", pointer);
      }
    }
  }
  if (!form.list.empty() && !form.list.starts_with('/')) {
    return fmt::format("list '{}': expected a JSON pointer, as /alerts", form.list);
  }
  if (form.alert.empty()) {
    return "'name' is missing: expected where the alert's name stands, as [/labels/alertname]";
  }
  if (!form.state.empty() && form.states.empty()) {
    return "'state' needs 'states': what their words mean, as {OPEN: firing, CLOSED: resolved}";
  }
  for (const auto& [word, meaning] : form.states) {
    if (meaning != kFiring && meaning != kResolved) {
      return fmt::format("states '{}: {}': expected firing or resolved", word, meaning);
    }
  }
  for (const auto& [word, level] : form.levels) {
    if (!level_code(level)) {
      return fmt::format(
          "levels '{}: {}': expected cleared, indeterminate, warning, minor, major or critical",
          word, level);
    }
  }
  return {};
}

std::string alert_fingerprint(const std::map<std::string, std::string>& labels) {
  constexpr std::uint64_t kBasis = 14695981039346656037ULL;
  constexpr std::uint64_t kPrime = 1099511628211ULL;
  std::uint64_t hash = kBasis;
  const auto mix = [&hash](std::string_view s) {
    for (const char c : s) {
      hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
    }
    hash = (hash ^ 0xffU) * kPrime;
  };
  for (const auto& [name, value] : labels) {
    mix(name);
    mix(value);
  }
  return fmt::format("{:016x}", hash);
}

Result<std::vector<Event>> decode_alerts(std::string_view body, const AlertForm& form, Instant now,
                                         const WebhookOptions& options, Arena& arena) {
  BELFRY_TRY(const json::value root, parse(body, options));
  const json::value* list = &root;
  if (!form.list.empty()) {
    json::error_code error;
    list = root.find_pointer({form.list.data(), form.list.size()}, error);
    if (list == nullptr || !list->is_array()) {
      return fail(Code::Invalid, "'{}' is missing: expected the list of alerts there", form.list);
    }
  }
  const json::array* several = list->if_array();
  const std::size_t count = several == nullptr ? 1 : several->size();
  if (count > options.events_max) {
    return fail(Code::Invalid, "more than {} alerts: send several requests", options.events_max);
  }
  Decoder decoder(form, root, now, options, arena);
  std::vector<Event> out;
  for (std::size_t i = 0; i < count; ++i) {
    const json::value& one = several == nullptr ? *list : (*several)[i];
    if (!one.is_object()) {
      return fail(Code::Invalid, "alert {}: expected an object, got {}", i + 1, kind_word(one));
    }
    Event& e = out.emplace_back();
    if (const std::string wrong = decoder.decode(one, e); !wrong.empty()) {
      return fail(Code::Invalid, "alert {}: {}", i + 1, wrong);
    }
    const std::string again = json::serialize(one);
    if (again.size() > 2 * options.event_bytes_max) {
      return fail(Code::Invalid, "alert {}: longer than {} bytes", i + 1, options.event_bytes_max);
    }
    e.raw = arena.copy(again);
  }
  return out;
}

}  // namespace belfry
