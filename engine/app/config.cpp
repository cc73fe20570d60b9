#include "config.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>

#include "belfry/base/text.hpp"
#include "belfry/webhook/alert_form.hpp"

namespace belfry {
namespace {

constexpr std::size_t kConfigBytesMax = 1024 * 1024;
constexpr std::size_t kErrorsMax = 100;

/// Visitor that reads a YAML map into what is bound.
class Reader {
 public:
  Reader(std::string file, const YAML::Node& node, std::vector<std::string>& errors)
      : file_(std::move(file)), node_(node.IsDefined() ? node : YAML::Node()), errors_(errors) {
    if (!node_.IsNull() && !node_.IsMap()) {
      error(node_, "expected a map of settings here");
    }
  }
  ~Reader() { unknown_keys(); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void comment(std::string_view) {}
  void value(const char* key, std::string& to, std::string_view) {
    if (const YAML::Node n = scalar(key)) {
      to = n.Scalar();
    }
  }
  void word(const char* key, std::string& to, std::initializer_list<std::string_view> words,
            std::string_view) {
    if (const YAML::Node n = scalar(key)) {
      to = n.Scalar();
      if (std::find(words.begin(), words.end(), to) == words.end()) {
        std::string expected;
        for (const std::string_view w : words) {
          expected += (expected.empty() ? "" : ", ") + std::string(w);
        }
        error(n,
              fmt::format("'{}' is not possible for '{}': expected one of {}", to, key, expected));
      }
    }
  }
  void value(const char* key, bool& to, std::string_view) {
    if (const YAML::Node n = scalar(key)) {
      if (n.Scalar() == "true" || n.Scalar() == "yes") {
        to = true;
      } else if (n.Scalar() == "false" || n.Scalar() == "no") {
        to = false;
      } else {
        error(n, fmt::format("'{}' is not possible for '{}': expected true or false", n.Scalar(),
                             key));
      }
    }
  }
  template <class T>
  void number(const char* key, T& to, std::int64_t min, std::int64_t max, std::string_view) {
    if (const YAML::Node n = scalar(key)) {
      const auto v = parse_int(n.Scalar());
      if (!v || *v < min || *v > max) {
        error(n, fmt::format("'{}' is not possible for '{}': expected a whole number from {} to {}",
                             n.Scalar(), key, min, max));
      } else {
        to = static_cast<T>(*v);
      }
    }
  }
  void duration(const char* key, Duration& to, Duration min, Duration max, std::string_view) {
    if (const YAML::Node n = scalar(key)) {
      const auto v = parse_duration(n.Scalar());
      if (!v || *v < min || *v > max) {
        error(n, fmt::format(
                     "'{}' is not possible for '{}': expected a time from {} to {}, as 30s or 5m",
                     n.Scalar(), key, to_text(min), to_text(max)));
      } else {
        to = *v;
      }
    }
  }
  void list(const char* key, std::vector<std::string>& to, std::string_view) {
    seen_.insert(key);
    const YAML::Node n = at(key);
    if (!n || n.IsNull()) {
      return;
    }
    to.clear();
    if (n.IsScalar()) {
      to.push_back(n.Scalar());
    } else if (n.IsSequence()) {
      for (const YAML::Node& item : n) {
        if (item.IsScalar()) {
          to.push_back(item.Scalar());
        } else {
          error(item, fmt::format("expected a plain text in the list '{}'", key));
        }
      }
    } else {
      error(n, fmt::format("expected a list for '{}', as [a, b]", key));
    }
  }
  template <class F>
  void section(const char* key, std::string_view, F&& bind) {
    seen_.insert(key);
    Reader inner(file_, at(key), errors_);
    bind(inner);
  }
  /// A map of names to maps: `teams: {desk: {...}, run: {...}}`.
  template <class T, class F>
  void named(const char* key, std::vector<T>& to, std::string_view, F&& bind) {
    seen_.insert(key);
    const YAML::Node n = at(key);
    if (!n || n.IsNull()) {
      return;
    }
    if (!n.IsMap()) {
      error(n, fmt::format("expected names with settings under '{}'", key));
      return;
    }
    to.clear();
    for (const auto& item : n) {
      T one;
      one.name = item.first.Scalar();
      {
        Reader inner(file_, item.second, errors_);
        bind(inner, one);
      }
      to.push_back(std::move(one));
    }
  }
  void map(const char* key, std::map<std::string, std::string>& to, std::string_view) {
    seen_.insert(key);
    const YAML::Node n = at(key);
    if (!n || n.IsNull()) {
      return;
    }
    if (!n.IsMap()) {
      error(n, fmt::format("expected 'name: value' pairs under '{}'", key));
      return;
    }
    to.clear();
    for (const auto& item : n) {
      if (item.second.IsScalar()) {
        to[item.first.Scalar()] = item.second.Scalar();
      } else {
        error(item.second, fmt::format("expected a plain text for '{}'", item.first.Scalar()));
      }
    }
  }
  /// Where people and teams are reached: `channel` or `channel:address`, one or a list.
  void targets(const char* key, std::vector<DeskTarget>& to, std::string_view doc) {
    std::vector<std::string> texts;
    list(key, texts, doc);
    for (const std::string& text : texts) {
      const std::size_t colon = text.find(':');
      to.push_back(
          {text.substr(0, colon), colon == std::string::npos ? "" : text.substr(colon + 1)});
    }
  }
  void people(const char* key, std::map<std::string, std::vector<DeskTarget>>& to,
              std::string_view doc) {
    seen_.insert(key);
    const YAML::Node n = at(key);
    if (n && n.IsMap()) {
      Reader inner(file_, n, errors_);
      for (const auto& item : n) {
        inner.targets(item.first.Scalar().c_str(), to[item.first.Scalar()], doc);
      }
    } else if (n && !n.IsNull()) {
      error(n, fmt::format("expected 'person: channel:address' pairs under '{}'", key));
    }
  }

 private:
  YAML::Node at(const char* key) const {
    return node_.IsMap() ? static_cast<const YAML::Node&>(node_)[key]
                         : YAML::Node(YAML::NodeType::Undefined);
  }
  YAML::Node scalar(const char* key) {
    seen_.insert(key);
    const YAML::Node n = at(key);
    if (!n.IsDefined() || n.IsNull()) {
      return YAML::Node(YAML::NodeType::Undefined);
    }
    if (!n.IsScalar()) {
      error(n, fmt::format("expected one value for '{}'", key));
      return YAML::Node(YAML::NodeType::Undefined);
    }
    return n;
  }
  void error(const YAML::Node& at_node, const std::string& what) {
    if (errors_.size() < kErrorsMax) {
      const YAML::Mark mark = at_node.Mark();
      errors_.push_back(fmt::format("{}:{}:{}: {}", file_, mark.line + 1, mark.column + 1, what));
    }
  }
  void unknown_keys() {
    if (!node_.IsMap()) {
      return;
    }
    std::vector<std::string_view> known(seen_.begin(), seen_.end());
    for (const auto& item : node_) {
      const std::string& key = item.first.Scalar();
      if (!seen_.contains(key)) {
        const std::string_view near = nearest(key, known);
        error(item.first, near.empty() ? fmt::format("unknown setting '{}'", printable(key, 60))
                                       : fmt::format("unknown setting '{}', did you mean '{}'?",
                                                     printable(key, 60), near));
      }
    }
  }
  std::string file_;
  YAML::Node node_;
  std::vector<std::string>& errors_;
  std::set<std::string, std::less<>> seen_;
};

/// Visitor that writes what is bound, with its comments.
class Printer {
 public:
  void comment(std::string_view text) { line("# " + std::string(text)); }
  void value(const char* key, const std::string& v, std::string_view doc) {
    entry(key, v.empty() ? "\"\"" : v, doc);
  }
  void word(const char* key, const std::string& v, std::initializer_list<std::string_view> words,
            std::string_view doc) {
    std::string all;
    for (const std::string_view w : words) {
      all += (all.empty() ? "" : " | ") + std::string(w);
    }
    entry(key, v, std::string(doc) + " (" + all + ")");
  }
  void value(const char* key, bool v, std::string_view doc) {
    entry(key, v ? "true" : "false", doc);
  }
  template <class T>
  void number(const char* key, T v, std::int64_t min, std::int64_t max, std::string_view doc) {
    entry(key, fmt::format("{}", v), fmt::format("{} ({} to {})", doc, min, max));
  }
  void duration(const char* key, Duration v, Duration, Duration, std::string_view doc) {
    std::string text = to_text(v);
    std::erase(text, ' ');
    entry(key, text, doc);
  }
  void list(const char* key, const std::vector<std::string>& v, std::string_view doc) {
    std::string text;
    for (const std::string& item : v) {
      text += (text.empty() ? "" : ", ") + item;
    }
    entry(key, "[" + text + "]", doc);
  }
  template <class F>
  void section(const char* key, std::string_view doc, F&& bind) {
    line("# " + std::string(doc));
    line(std::string(key) + ":");
    indent_ += 2;
    bind(*this);
    indent_ -= 2;
  }
  template <class T, class F>
  void named(const char* key, const std::vector<T>& v, std::string_view doc, F&& bind) {
    line("# " + std::string(doc));
    line(std::string(key) + (v.empty() ? ": {}" : ":"));
    for (T one : v) {
      indent_ += 2;
      line(one.name + ":");
      indent_ += 2;
      bind(*this, one);
      indent_ -= 4;
    }
  }
  void map(const char* key, const std::map<std::string, std::string>& v, std::string_view doc) {
    std::string text;
    for (const auto& [name, value] : v) {
      text += (text.empty() ? "" : ", ") + name + ": " + value;
    }
    entry(key, "{" + text + "}", doc);
  }
  void targets(const char* key, const std::vector<DeskTarget>& v, std::string_view doc) {
    std::vector<std::string> texts;
    for (const DeskTarget& t : v) {
      texts.push_back(t.address.empty() ? t.channel : t.channel + ":" + t.address);
    }
    list(key, texts, doc);
  }
  void people(const char* key, const std::map<std::string, std::vector<DeskTarget>>& v,
              std::string_view doc) {
    line("# " + std::string(doc));
    line(std::string(key) + (v.empty() ? ": {}" : ":"));
    indent_ += 2;
    for (const auto& [person, where] : v) {
      targets(person.c_str(), where, "");
    }
    indent_ -= 2;
  }
  std::string take() { return std::move(out_); }

 private:
  void line(const std::string& text) { out_ += std::string(indent_, ' ') + text + "\n"; }
  void entry(const std::string& key, const std::string& v, std::string_view doc) {
    const std::string pair = key + ": " + v;
    line(doc.empty() ? pair : fmt::format("{:<40} # {}", pair, doc));
  }
  std::string out_;
  std::size_t indent_ = 0;
};

template <class V>
void bind_listen(V& v, ListenConfig& c) {
  v.value("enabled", c.enabled, "");
  v.value("address", c.address, "beyond loopback the API needs TLS");
  v.number("port", c.port, 0, 65535, "0 lets the system choose");
  v.number("threads", c.threads, 1, 16, "each with sockets of its own");
}

template <class V>
void bind_stream(V& v, StreamConfig& c) {
  v.number("connections", c.connections, 1, 1'000'000, "open at once");
  v.number("connections_per_source", c.connections_per_source, 1, 1'000'000, "of one address");
  v.duration("idle", c.idle, 1s, 24h * 365, "a sender that says nothing is disconnected");
}

template <class V>
void bind_certificates(V& v, SyslogTlsConfig& c, std::string_view certificate_doc) {
  v.value("certificate", c.certificate, certificate_doc);
  v.value("key", c.key, "PEM file, mode 0600; all PEM files are read anew on SIGHUP");
  v.value("client_ca", c.client_ca, "PEM file: senders that these issuers signed may speak");
  v.map("peers", c.peers, "name: SHA-256 fingerprints; these may speak, under that name");
  v.value("anyone", c.anyone, "true: senders need no certificate");
  v.duration("handshake", c.handshake, 100ms, 10min, "longer is refused");
}

template <class V>
void bind_check_kinds(V& v, CheckSpec& one) {
  v.value("send", one.send, "tcp: said after the connect");
  v.value("expect", one.expect, "text in the banner (tcp, smtp) or in the body (http)");
  v.value("tls", one.tls, "tcp, http: TLS first; smtp: STARTTLS");
  v.value("host", one.host, "name the certificate must have; http: and that is asked for");
  v.value("verify", one.verify, "the certificate must lead to a known authority");
  v.value("ca_file", one.ca_file, "instead of the system's authorities");
  v.duration("certificate_warn", one.certificate_warn, 0s, 24h * 3650,
             "degraded when the certificate ends sooner");
  v.value("path", one.path, "http");
  v.list("statuses", one.statuses, "http: 200, 2xx; [] = 2xx and 3xx");
  v.value("query", one.query, "dns: the name");
  v.word("record", one.record, {"A", "AAAA", "NS", "CNAME", "SOA", "PTR", "MX", "TXT"}, "dns");
  v.list("answers", one.answers, "dns: each must be among the answers");
  v.value("primary", one.primary, "dns, SOA: the address whose serial must be the same");
  v.duration("offset_max", one.offset_max, 1ms, 24h, "ntp: degraded beyond it");
  v.value("user", one.user, "radius");
  v.value("secret_file", one.secret_file, "radius: mode 0600");
  v.value("password_file", one.password_file, "radius: mode 0600");
  v.word("reply", one.reply, {"accept", "reject", "any"}, "radius");
  v.list("command", one.command, "plugin: [/path, arguments], no shell; $ADDRESS$ $NODE$ $PORT$");
  v.value("label", one.label, "plugin: perfdata are samples of this check, as label.NAME");
  v.value("percent", one.percent, "plugin: perfdata in percent of their maximum");
  v.number("memory_mib", one.memory_mib, 16, 65536, "plugin: address space");
}

template <class V>
void bind_check(V& v, CheckSpec& one, const ProbeConfig& common) {
  one.interval = common.interval;
  one.timeout = common.timeout;
  one.retries = common.retries;
  one.recoveries = common.recoveries;
  v.word("kind", one.kind, {"icmp", "tcp", "http", "tls", "dns", "smtp", "ntp", "radius", "plugin"},
         "");
  v.list("nodes", one.nodes, "devices by name");
  v.list("roles", one.roles, "and every device of these roles");
  v.value("address", one.address, "instead of the device's ip");
  v.number("port", one.port, 0, 65535, "0 = the kind's own");
  v.value("source", one.source, "local address to ask from");
  v.value("vantage", one.vantage, "empty = the common one");
  v.duration("interval", one.interval, 100ms, 24h, "");
  v.duration("timeout", one.timeout, 10ms, 10min, "");
  v.number("retries", one.retries, 0, 20, "");
  v.number("recoveries", one.recoveries, 1, 20, "");
  v.number("echoes", one.echoes, 1, kEchoesMax, "icmp: packets of a round");
  bind_check_kinds(v, one);
}

template <class V>
void bind_probes(V& v, ProbeConfig& p) {
  v.value("enabled", p.enabled, "");
  v.value("vantage", p.vantage, "name of this place, as rules see it");
  v.list("icmp_roles", p.icmp_roles, "every device of these roles is pinged");
  v.list("tcp", p.tcp, "node=address:port");
  v.duration("interval", p.interval, 100ms, 24h, "targets are spread over it");
  v.duration("timeout", p.timeout, 10ms, 60s, "");
  v.number("retries", p.retries, 0, 20, "failures in a row before down");
  v.number("recoveries", p.recoveries, 1, 20, "answers in a row before up again");
  v.number("in_flight_max", p.in_flight_max, 1, 65536, "checks under way; more wait");
  v.number("sockets_max", p.sockets_max, 1, 65536, "of them with a socket of their own");
  v.number("plugins_max", p.plugins_max, 1, 1024, "of them programs");
  v.number("output_max", p.output_max, 1024, 1024 * 1024, "bytes kept of a plugin's output");
  v.duration(
      "verify_after", p.verify_after, 0s, 24h * 30,
      "open alarms not heard of for so long are checked, where a probe clears them; 0s = never");
  v.named("checks", p.checks, "more checks, by the name that rules see; see docs/operating.md",
          [&p](V& s, CheckSpec& one) { bind_check(s, one, p); });
}

template <class V>
void bind_collectors(V& v, Config& c) {
  v.section("syslog_udp", "RFC 3164 and RFC 5424 datagrams",
            [&](V& s) { bind_listen(s, c.syslog_udp); });
  v.section("syslog_tcp", "the same, LF and octet-counted, told apart per frame", [&](V& s) {
    bind_listen(s, c.syslog_tcp);
    bind_stream(s, c.syslog_tcp_stream);
  });
  v.section("syslog_tls", "RFC 5425; a certificate's name is the sender's", [&](V& s) {
    bind_listen(s, c.syslog_tls);
    bind_stream(s, c.syslog_tls_stream);
    bind_certificates(s, c.syslog_tls_certificates, "PEM file, with its chain");
  });
  v.section("syslog_relp", "RELP: answered when the message is durable", [&](V& s) {
    bind_listen(s, c.syslog_relp);
    bind_stream(s, c.syslog_relp_stream);
    bind_certificates(s, c.syslog_relp_certificates, "PEM file; empty = RELP without TLS");
  });
  v.section("syslog_unix", "datagrams of this machine's programs", [&](V& s) {
    s.value("enabled", c.syslog_unix.enabled, "");
    s.value("path", c.syslog_unix.path, "as /dev/log; it must not be in use");
  });
  v.section("trap_udp", "SNMP v1, v2c and v3 traps and informs", [&](V& s) {
    bind_listen(s, c.trap_udp);
    s.list("communities", c.communities, "only these; [] takes any");
    s.value("users_file", c.snmp_users_file, "v3: createUser lines, mode 0600; empty: no v3");
    s.value("engine_id", c.snmp_engine_id, "v3: 0x and hex; empty: made at the first start");
  });
  v.section("if_poll", "ifIndex to name, read from the devices by SNMP", [&](V& s) {
    s.value("enabled", c.if_poll.enabled, "");
    s.list("roles", c.if_poll.roles, "every device of these roles is asked");
    s.number("port", c.if_poll.port, 1, 65535, "");
    s.duration("interval", c.if_poll.interval, 1s, 24h, "devices are spread over it");
    s.duration("timeout", c.if_poll.timeout, 10ms, 60s, "");
    s.number("retries", c.if_poll.retries, 0, 20, "");
    s.number("requests_per_second", c.if_poll.requests_per_second, 1, 100000, "of all together");
    s.value("communities_file", c.if_poll.communities_file,
            "v2c: lines 'DEVICE COMMUNITY', * = the others; mode 0600");
    s.value("user", c.if_poll.user, "v3: of trap_udp.users_file; a device's own: snmp_user");
  });
  v.section("probes", "what Belfry asks by itself", [&](V& s) { bind_probes(s, c.probes); });
}

template <class V>
void bind_desk(V& v, DeskOptions& d) {
  v.value("last_resort", d.last_resort, "who owns and gets what nobody else can: mandatory");
  v.value("desk_team", d.desk_team, "the team whose members own new tickets");
  v.value("default_escalation", d.default_escalation, "for rules that name none");
  v.value("default_policy", d.default_policy, "Bell policy that gives P1..P4");
  v.duration("close_after", d.close_after, 1s, 24h * 365, "resolved tickets close after it");
  v.named("teams", d.teams, "as escalations name them", [](V& s, DeskTeam& team) {
    s.list("members", team.members, "people; the one with fewest open tickets owns");
    s.targets("notify", team.notify, "channel or channel:address");
    s.targets("page", team.page, "");
  });
  v.people("people", d.people, "how a person is reached: channel:address");
  v.map("aliases", d.aliases, "names that escalations use for teams and people");
}

template <class V>
void bind_alert_form(V& v, AlertForm& f) {
  v.value("type", f.type, "the event type that rules see");
  v.value("list", f.list, "JSON pointer to the list of alerts; empty: the body is one, or a list");
  v.list("name", f.alert, "JSON pointers into one alert, the first that is there: its name");
  v.list("node", f.node, "the device; left out: the sender's address");
  v.list("id", f.id, "left out: a hash of the labels");
  v.list("state", f.state, "left out: firing, until `ends`");
  v.map("states", f.states, "their word: firing or resolved");
  v.list("level", f.level, "");
  v.map("levels", f.levels, "their word: critical, major, minor, warning, ...");
  v.list("msg", f.message, "");
  v.list("starts", f.starts, "");
  v.list("ends", f.ends, "the alert holds until then unless it is sent again");
  v.list("labels", f.labels, "objects whose members become label.NAME");
}

template <class V>
void bind_channel(V& v, ChannelConfig& c) {
  v.word("kind", c.kind, {"smtp", "webhook", "log"}, "");
  v.value("host", c.host, "smtp");
  v.number("port", c.port, 1, 65535, "smtp");
  v.value("from", c.from, "smtp: the sender's address");
  v.value("user", c.user, "smtp: empty = no sign-in");
  v.value("password_file", c.password_file, "smtp: mode 0600");
  v.value("starttls", c.starttls, "smtp: refuse to send without TLS");
  v.value("url", c.url, "webhook");
  v.value("secret_file", c.secret_file, "webhook: whsec_... (Standard Webhooks), mode 0600");
  v.value("allow_private", c.allow_private, "webhook: addresses of private networks and loopback");
}

/// The one table: key, place, bounds, doc.
template <class V>
void bind(V& v, Config& c) {
  v.value("data_dir", c.data_dir, "store, snapshots, tokens (made with mode 0700)");
  v.list("rules", c.rules, "files and folders of *.bell");
  v.value("inventory", c.inventory, "folder of the tables' CSV files");
  v.value("mibs", c.mibs, "folder of MIB files, read at each reload; empty: well-known names");
  v.list("relays", c.relays, "addresses whose header names are believed");
  v.section("log", "lines for the operator", [&](V& s) {
    s.word("level", c.log_level, {"debug", "info", "warn", "error"}, "");
    s.word("format", c.log_format, {"text", "json"}, "");
    s.value("file", c.log_file, "empty = standard error");
  });
  v.section("api", "REST, feed, metrics", [&](V& s) {
    s.value("address", c.api.address, "beyond loopback only with TLS");
    s.number("port", c.api.port, 0, 65535, "0 lets the system choose");
    s.value("tls_certificate", c.tls_certificate, "PEM file");
    s.value("tls_key", c.tls_key, "PEM file");
  });
  v.section("collectors", "how the world comes in", [&](V& s) { bind_collectors(s, c); });
  v.section("store", "journal and snapshots", [&](V& s) {
    s.word("durability", c.durability, {"sync", "group", "os"},
           "group: acks and feed wait for one shared fsync");
    s.duration("snapshot_every", c.snapshot_every, 1s, 24h, "longer: slower restarts");
    s.duration("retention_age", c.retention_age, 1h, 24h * 3650,
               "events; commands and changes are kept 7 years");
    s.number("ring_batches", c.ring_batches, 2, 65536,
             "per collector thread; more: memory, later back-pressure");
  });
  v.section("desk", "teams and people", [&](V& s) { bind_desk(s, c.desk); });
  v.named("alerts", c.alerts, "other programs' JSON, for POST /api/v1/alerts/NAME",
          [](V& s, AlertForm& form) { bind_alert_form(s, form); });
  v.named("channels", c.channels, "ways out; one queue each",
          [](V& s, ChannelConfig& one) { bind_channel(s, one); });
}

/// TLS needs a certificate of ours, and somebody who may speak.
void check_certificates(const std::string& section, const SyslogTlsConfig& c, bool needed,
                        const std::string& file, std::vector<std::string>& errors) {
  if (needed && (c.certificate.empty() || c.key.empty())) {
    errors.push_back(file + ": " + section + ": expected certificate and key (PEM files)");
  }
  if (needed && !c.anyone && c.client_ca.empty() && c.peers.empty()) {
    errors.push_back(file + ": " + section +
                     ": nobody may speak: expected client_ca, peers, or anyone: true");
  }
}

/// What one key alone cannot say.
void check_whole(const Config& c, const std::string& file, std::vector<std::string>& errors) {
  const auto need = [&](bool ok, std::string what) {
    if (!ok) {
      errors.push_back(file + ": " + std::move(what));
    }
  };
  for (const AlertForm& form : c.alerts) {
    const std::string wrong = check_alert_form(form);
    need(wrong.empty(), "alerts." + form.name + ": " + wrong);
  }
  need(!c.desk.last_resort.empty(),
       "desk.last_resort: expected a person: somebody must own what nobody else can");
  const bool loopback =
      c.api.address.starts_with("127.") || c.api.address == "::1" || c.api.address == "localhost";
  need(loopback || (!c.tls_certificate.empty() && !c.tls_key.empty()),
       "api.address: " + c.api.address +
           " is beyond loopback: expected TLS there, with api.tls_certificate and api.tls_key");
  check_certificates("collectors.syslog_tls", c.syslog_tls_certificates, c.syslog_tls.enabled, file,
                     errors);
  check_certificates("collectors.syslog_relp", c.syslog_relp_certificates,
                     c.syslog_relp.enabled && !c.syslog_relp_certificates.certificate.empty(), file,
                     errors);
  std::set<std::string> channels;
  for (const ChannelConfig& channel : c.channels) {
    channels.insert(channel.name);
    need(channel.kind != "webhook" || !channel.url.empty(),
         "channels." + channel.name + ": a webhook needs a url");
  }
  const auto check_targets = [&](const std::string& where, const std::vector<DeskTarget>& targets) {
    for (const DeskTarget& target : targets) {
      need(channels.contains(target.channel),
           where + ": there is no channel '" + target.channel + "' under `channels:`");
    }
  };
  for (const CheckSpec& check : c.probes.checks) {
    const std::string wrong = check_spec(check);
    need(wrong.empty(), "collectors.probes.checks." + check.name + ": " + wrong);
  }
  for (const DeskTeam& team : c.desk.teams) {
    check_targets("desk.teams." + team.name, team.notify);
    check_targets("desk.teams." + team.name, team.page);
  }
  for (const auto& [person, targets] : c.desk.people) {
    check_targets("desk.people." + person, targets);
  }
}

}  // namespace

Result<Config> parse_config(const std::string& path, const std::string& text) {
  Config config;
  config.file = path;
  std::vector<std::string> errors;
  try {
    const YAML::Node root = YAML::Load(text);
    {
      Reader reader(path, root, errors);
      bind(reader, config);
    }
    check_whole(config, path, errors);
  } catch (const YAML::Exception& e) {
    errors.push_back(
        fmt::format("{}:{}:{}: not YAML: {}", path, e.mark.line + 1, e.mark.column + 1, e.msg));
  }
  if (errors.empty()) {
    return config;
  }
  std::string all;
  for (const std::string& error : errors) {
    all += (all.empty() ? "" : "\n") + error;
  }
  return fail(Code::Invalid, "{}", all);
}

Result<Config> load_config(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return fail(Code::NotFound, "{}: cannot be read: expected the configuration file (-c FILE)",
                path);
  }
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text.size() > kConfigBytesMax) {
    return fail(Code::Invalid, "{}: {} bytes: expected at most {}", path, text.size(),
                kConfigBytesMax);
  }
  return parse_config(path, text);
}

std::string annotated_config() {
  Config defaults;
  defaults.desk.last_resort = "head";
  Printer printer;
  bind(printer, defaults);
  return printer.take();
}

}  // namespace belfry
