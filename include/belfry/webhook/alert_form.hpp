#pragma once
// AlertForm: how another program's JSON says what an alert is. Prometheus, Alertmanager, Grafana,
// Zabbix, Icinga 2, LibreNMS and passive check results are forms that come with the program; others
// are written in the configuration (`alerts:`).
//
//   {"alerts":[{"labels":{"alertname":"DiskFull","instance":"db-1:9100"},"endsAt":...}]}
//   -> Event{ type alert, node db-1, attrs: name, state, id, ends, label.alertname, ... }
//
// An event of an alert has the attributes name, state (firing or resolved), id, source, and when
// the alert says so ends: until then it holds, unless it is posted again (the fold's business).
// Total: any bytes give events or an Error that says which alert, which field and what was
// expected.
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/model/arena.hpp"
#include "belfry/model/event.hpp"
#include "belfry/webhook/webhook.hpp"

namespace belfry {

/// The forms that are built in, by name: prometheus, alertmanager, grafana, zabbix, icinga2,
/// librenms, passive.
std::span<const AlertForm> builtin_alert_forms();

/// What is wrong with a form; empty = nothing.
std::string check_alert_form(const AlertForm& form);

/// All alerts of a body, their slices in `arena`. `now` decides whether an `ends` is past: such an
/// alert is resolved. Naming and matching are intake's business.
Result<std::vector<Event>> decode_alerts(std::string_view body, const AlertForm& form, Instant now,
                                         const WebhookOptions& options, Arena& arena);

/// Alertmanager's fingerprint of a set of labels: 64-bit FNV-1a over the sorted pairs, each name
/// and value followed by 0xff, as 16 hex digits. The same alert has the same id whichever way it
/// came.
std::string alert_fingerprint(const std::map<std::string, std::string>& labels);

}  // namespace belfry
