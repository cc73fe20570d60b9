#include "store_command.hpp"

#include <fmt/format.h>

#include "belfry/base/json.hpp"
#include "belfry/journal/journal.hpp"

namespace belfry {
namespace {

int tell(const Error& error) {
  fmt::print(stderr, "belfry store: {}\n", error);
  return 2;
}

int verify(const StoreArguments& a) {
  const auto report = verify_store(a.store);
  if (!report) {
    return tell(report.error());
  }
  if (a.json) {
    JsonWriter json;
    json.object().field("blocks", report->blocks).field("events", report->events);
    json.field("records", report->records).field("changes", report->changes);
    json.field("first", report->first.value)
        .field("last", report->last.value)
        .key("findings")
        .array();
    for (const std::string& finding : report->findings) {
      json.value(finding);
    }
    json.end().end();
    fmt::print("{}\n", json.text());
  } else {
    fmt::print("{}: {} events in {} blocks, {} records, {} changes, inputs {} to {}\n", a.store,
               report->events, report->blocks, report->records, report->changes,
               report->first.value, report->last.value);
    for (const std::string& finding : report->findings) {
      fmt::print("  {}\n", finding);
    }
    fmt::print("{}\n", report->findings.empty()
                           ? "every checksum and the chain of the record agree"
                           : "the store is damaged: restore a backup, or start from what is left");
  }
  return report->findings.empty() ? 0 : 1;
}

}  // namespace

int store_command(const StoreArguments& a) {
  if (a.action == "verify") {
    return verify(a);
  }
  const Result<void> done =
      a.action == "backup" ? backup_store(a.store, a.dir) : restore_store(a.dir, a.store);
  if (!done) {
    return tell(done.error());
  }
  fmt::print("{}\n",
             a.action == "backup"
                 ? fmt::format("{} is copied to {}", a.store, a.dir)
                 : fmt::format("{} is restored from {}; the feed has a new epoch", a.store, a.dir));
  return 0;
}

}  // namespace belfry
