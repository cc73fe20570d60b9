// The command line: one subcommand each, every help text with an example. Exit codes: 0 ok, 1
// findings, 2 usage or refusal.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "belfry/base/text.hpp"
#include "check_command.hpp"
#include "client_commands.hpp"
#include "config.hpp"
#include "decode_command.hpp"
#include "fmt_command.hpp"
#include "load_command.hpp"
#include "mibs.hpp"
#include "replay_command.hpp"
#include "run_command.hpp"
#include "store_command.hpp"
#include "test_command.hpp"

namespace {

using Action = std::function<int()>;

void add_run(CLI::App& app, Action& action) {
  CLI::App* run = app.add_subcommand("run", "run the server in the foreground, until Ctrl-C");
  auto config = std::make_shared<std::string>("config/belfry.yaml");
  auto print = std::make_shared<bool>(false);
  run->add_option("-c,--config", *config, "configuration file")->capture_default_str();
  run->add_flag("--print-config", *print, "print every setting with its default, and end");
  run->footer("Example: belfry run -c config/belfry.yaml");
  run->callback([&action, config, print] {
    action = [config, print] {
      if (*print) {
        fmt::print("{}", belfry::annotated_config());
        return 0;
      }
      return belfry::run_command(*config);
    };
  });
}

std::shared_ptr<std::string> mibs_option(CLI::App* command) {
  auto folder = std::make_shared<std::string>();
  command->add_option("--mibs", *folder, "folder of MIB files whose names the rules use");
  return folder;
}

void add_mibs(CLI::App& app, Action& action) {
  CLI::App* mibs = app.add_subcommand("mibs", "what a folder of MIB files knows");
  auto a = std::make_shared<belfry::MibsArguments>();
  mibs->add_option("folder", a->folder, "folder of MIB files")->required();
  mibs->add_option("--skip", a->skip, "name of a file to leave out");
  mibs->add_flag("--raw", a->raw, "the whole table, as the loader reads it");
  mibs->footer("Example: belfry mibs /usr/share/snmp/mibs");
  mibs->callback([&action, a] { action = [a] { return belfry::mibs_command(*a); }; });
}

void add_check(CLI::App& app, Action& action) {
  CLI::App* check = app.add_subcommand("check", "say what is wrong with rule files");
  auto a = std::make_shared<belfry::CheckArguments>();
  check->add_option("rules", a->paths, "*.bell files and folders")->required();
  CLI::Option* json = check->add_flag("--json", a->json, "one JSON object per finding");
  check->add_flag("--sarif", a->sarif, "SARIF 2.1.0, for code review tools")->excludes(json);
  check->add_flag("--cost", a->cost, "bytes and timers per key, how lines are found");
  check->add_option("-c,--config", a->config, "belfry.yaml: also compare with its probes");
  check->add_flag("--strict", a->strict, "warnings count as findings");
  check->footer("Example: belfry check rules/packs --cost");
  check->callback([&action, a, mibs = mibs_option(check)] {
    action = [a, mibs] {
      return belfry::use_mibs(*mibs, "belfry check") ? belfry::check_command(*a) : 2;
    };
  });

  CLI::App* help = app.add_subcommand("help", "explain a code that `check` printed");
  auto code = std::make_shared<std::string>();
  help->add_option("code", *code, "as B0101")->required();
  help->callback([&action, code] { action = [code] { return belfry::help_command(*code); }; });
}

void add_fmt(CLI::App& app, Action& action) {
  CLI::App* fmt = app.add_subcommand("fmt", "write rule files in their one canonical form");
  auto a = std::make_shared<belfry::FmtArguments>();
  fmt->add_option("rules", a->paths, "*.bell files and folders; - = standard input")->required();
  fmt->add_flag("--check", a->check, "change nothing, name the files that would change");
  fmt->footer(
      "Exit codes: 0 ok, 1 --check found some, 2 a file has errors.\nExample: belfry fmt "
      "rules/packs");
  fmt->callback([&action, a] { action = [a] { return belfry::fmt_command(*a); }; });
}

void add_test(CLI::App& app, Action& action) {
  CLI::App* test = app.add_subcommand("test", "run the test blocks of rule files in virtual time");
  auto a = std::make_shared<belfry::TestArguments>();
  test->add_option("rules", a->paths, "*.bell files and folders")->required();
  test->add_option("--only", a->only, "only tests whose name contains this");
  test->add_flag("--json", a->json, "one JSON object per test");
  test->add_flag("--coverage", a->coverage, "which lines no test reached");
  test->add_flag("-v,--verbose", a->verbose, "the timeline of passed tests too");
  test->add_option("--junit", a->junit, "write a JUnit report to this file");
  test->add_option("--shuffle", a->shuffle, "seed: other orders of what arrives at one instant");
  test->footer("Example: belfry test rules/packs --coverage");
  test->callback([&action, a, mibs = mibs_option(test)] {
    action = [a, mibs] {
      return belfry::use_mibs(*mibs, "belfry test") ? belfry::test_command(*a) : 2;
    };
  });
}

void add_decode(CLI::App& app, Action& action) {
  CLI::App* decode =
      app.add_subcommand("decode", "messages as rules see them, one JSON object each");
  auto a = std::make_shared<belfry::DecodeArguments>();
  decode->add_option("--as", a->as, "syslog, trap or plugin")
      ->check(CLI::IsMember({"syslog", "trap", "plugin"}))
      ->capture_default_str();
  decode->add_option("--framing", a->framing, "line or octet")
      ->check(CLI::IsMember({"line", "octet"}))
      ->capture_default_str();
  decode->add_flag("--hex", a->hex, "one message a line, as hex digits");
  decode->add_flag("--pcap", a->pcap, "the file is a capture");
  decode->add_option("--snmp-users", a->snmp_users, "file of net-snmp's createUser lines");
  decode->add_option("--mibs", a->mibs, "folder of MIB files");
  decode->add_option("file", a->path, "- reads standard input")->capture_default_str();
  decode->footer("Example: belfry decode --as trap --hex packets.txt");
  decode->callback([&action, a] { action = [a] { return belfry::decode_command(*a); }; });
}

void add_replay(CLI::App& app, Action& action) {
  CLI::App* replay = app.add_subcommand("replay", "fold a file of events on the virtual clock");
  auto a = std::make_shared<belfry::ReplayArguments>();
  replay->add_option("--events", a->events, "JSON lines: what decode prints plus at")->required();
  replay->add_option("--rules", a->rules, "*.bell files and folders")->required();
  replay->add_option("--inventory", a->inventory, "folder of the tables' CSV files");
  replay->add_flag("--json", a->json, "every change as one JSON line");
  replay->add_flag("--incidents", a->incidents, "one object per incident at the end");
  replay
      ->add_option_function<std::string>(
          "--run-on",
          [a](const std::string& text) {
            const auto duration = belfry::parse_duration(text);
            if (!duration || duration->count() < 0) {
              throw CLI::ValidationError("--run-on", "expected a duration such as 5m or 0s");
            }
            a->run_on = *duration;
          },
          "the clock runs on that long after the last event")
      ->default_str("5m");
  replay->footer(
      "Example: belfry replay --events week.jsonl --rules rules/packs \\\n"
      "           --inventory config/inventory");
  replay->callback([&action, a, mibs = mibs_option(replay)] {
    action = [a, mibs] {
      return belfry::use_mibs(*mibs, "belfry replay") ? belfry::replay_command(*a) : 2;
    };
  });
}

void add_load(CLI::App& app, Action& action) {
  CLI::App* load = app.add_subcommand("load", "send numbered events to a loopback port");
  auto a = std::make_shared<belfry::LoadArguments>();
  load->add_option("kind", a->kind, "syslog or trap")
      ->check(CLI::IsMember({"syslog", "trap"}))
      ->required();
  load->add_option("--target", a->target, "address:port, loopback only")->capture_default_str();
  load->add_option("--transport", a->transport, "udp, tcp, tls or relp")
      ->check(CLI::IsMember({"udp", "tcp", "tls", "relp"}))
      ->capture_default_str();
  load->add_option_function<std::string>(
      "--rate",
      [a](const std::string& text) {
        a->rate = text == "max" ? 0 : CLI::detail::lexical_cast(text, a->rate) ? a->rate : -1;
      },
      "events a second, or max (the default)");
  load->add_option("--seconds", a->seconds, "how long")->capture_default_str();
  load->add_option("--count", a->count, "stop after so many events");
  load->add_option("--keys", a->keys, "distinct (host, interface)")->capture_default_str();
  load->add_option("--duplicates", a->duplicates, "per cent of link events that change nothing")
      ->capture_default_str();
  load->add_option("--mix", a->mix, "normal: one in ten is a link event; storm: all")
      ->check(CLI::IsMember({"normal", "storm"}))
      ->capture_default_str();
  load->add_option("--connections", a->connections, "of tcp, tls and relp")->capture_default_str();
  load->add_option("--window", a->window, "relp: unanswered messages a connection")
      ->capture_default_str();
  load->add_option("--certificate", a->certificate, "tls: PEM file");
  load->add_option("--key", a->key, "tls: PEM file");
  load->add_option("--snmp-users", a->snmp_users, "traps of SNMPv3, as these users in turn");
  load->add_flag("--gso", a->gso, "udp: many datagrams a system call (UDP_SEGMENT)");
  load->add_flag("--json", a->json, "what was sent, as JSON");
  load->footer("Example: belfry load syslog --rate 50000 --seconds 10 --target 127.0.0.1:5514");
  load->callback([&action, a] { action = [a] { return belfry::load_command(*a); }; });
}

/// What all commands that talk to a running server share.
std::shared_ptr<belfry::ClientArguments> client_options(CLI::App* command) {
  auto c = std::make_shared<belfry::ClientArguments>();
  command->add_option("-c,--config", c->config, "configuration: names the data folder")
      ->capture_default_str();
  command->add_option("--server", c->server, "http://127.0.0.1:8514; else from the data folder");
  command->add_option("--token-file", c->token_file, "else admin.token in the data folder");
  command->add_option("--ca-file", c->ca_file, "PEM: who signed the server's certificate");
  command->add_flag("--json", c->json, "as the API gives it");
  return c;
}

void add_lists(CLI::App& app, Action& action) {
  CLI::App* incidents = app.add_subcommand("incidents", "incidents of a running server");
  auto ic = client_options(incidents);
  auto ia = std::make_shared<belfry::IncidentsArguments>();
  incidents->add_option("id", ia->id, "one of them, with symptoms and evidence");
  incidents->add_option("--rule", ia->rule, "only of this rule");
  incidents->add_option("--state", ia->state, "open, symptom, planned, clearing, closed");
  incidents->add_option("--node", ia->node, "only about this device");
  incidents->add_option("--customer", ia->customer, "only those that touch this customer");
  incidents->add_option("--text", ia->text, "in title or key");
  incidents->add_flag("--closed", ia->closed, "also those that closed lately");
  incidents->add_flag("--no-symptoms", ia->no_symptoms, "only what nothing explains");
  incidents->add_option("--limit", ia->limit, "at most so many")->capture_default_str();
  incidents->callback(
      [&action, ic, ia] { action = [ic, ia] { return belfry::incidents_command(*ic, *ia); }; });

  CLI::App* tickets =
      app.add_subcommand("tickets", "tickets of a running server, in the desk's order");
  auto tc = client_options(tickets);
  auto ta = std::make_shared<belfry::TicketsArguments>();
  tickets->add_option("id", ta->id, "one of them, with its timeline");
  tickets->add_option("--owner", ta->owner, "only theirs");
  tickets->add_option("--state", ta->state, "new, assigned, in_progress, resolved ...");
  tickets->add_option("--priority", ta->priority, "P1 to P4");
  tickets->add_option("--text", ta->text, "in the title");
  tickets->add_flag("--closed", ta->closed, "also resolved and merged ones");
  tickets->add_option("--limit", ta->limit, "at most so many")->capture_default_str();
  tickets->callback(
      [&action, tc, ta] { action = [tc, ta] { return belfry::tickets_command(*tc, *ta); }; });

  CLI::App* feed = app.add_subcommand("feed", "every change as it happens, one line each");
  auto fc = client_options(feed);
  auto fa = std::make_shared<belfry::FeedArguments>();
  feed->add_option("--after", fa->after, "cursor <epoch>-<change>; else from now on");
  feed->add_option("--count", fa->count, "end after so many changes");
  feed->callback(
      [&action, fc, fa] { action = [fc, fa] { return belfry::feed_command(*fc, *fa); }; });
}

void add_acts(CLI::App& app, Action& action) {
  CLI::App* ack = app.add_subcommand("ack", "acknowledge a ticket, or make another move on it");
  auto ac = client_options(ack);
  auto aa = std::make_shared<belfry::MoveArguments>();
  ack->add_option("ticket", aa->ticket, "as T-12")->required();
  ack->add_option("--move", aa->move,
                  "ack unack claim assign comment mitigate resolve\n"
                  "                              reopen cancel")
      ->capture_default_str();
  ack->add_option("--text", aa->text, "what comment, mitigate, resolve and cancel need");
  ack->add_option("--person", aa->person, "whom assign names");
  ack->add_option("--expect", aa->expect, "version you saw: refused when it changed since");
  ack->footer(
      "Example: belfry ack T-12\n"
      "         belfry ack T-12 --move resolve --text 'fibre spliced'");
  ack->callback(
      [&action, ac, aa] { action = [ac, aa] { return belfry::move_command(*ac, *aa); }; });

  CLI::App* silence =
      app.add_subcommand("silence", "keep a rule, or some of its keys, quiet for a time");
  auto sc = client_options(silence);
  auto sa = std::make_shared<belfry::SilenceArguments>();
  silence->add_option("rule", sa->rule, "name of the rule")->required();
  silence->add_option("key", sa->match, "key parts in the rule's order, * = any");
  silence->add_option("--for", sa->last, "how long, as 2h");
  silence->add_option("--until", sa->until, "RFC 3339 time");
  silence->add_flag("--end", sa->end, "end it instead");
  silence->footer("Example: belfry silence interface_down par1-r1 '*' --for 2h");
  silence->callback(
      [&action, sc, sa] { action = [sc, sa] { return belfry::silence_command(*sc, *sa); }; });

  CLI::App* reload = app.add_subcommand("reload", "take rules and inventory anew, or keep the old");
  auto rc = client_options(reload);
  reload->callback([&action, rc] { action = [rc] { return belfry::reload_command(*rc); }; });
}

void add_store(CLI::App& app, Action& action) {
  CLI::App* store = app.add_subcommand("store", "check, copy or restore a store");
  store->require_subcommand(1);
  auto a = std::make_shared<belfry::StoreArguments>();
  a->store = "run/data/store";
  const auto add = [&](const char* name, const char* what, const char* dir) {
    CLI::App* sub = store->add_subcommand(name, what);
    sub->add_option("--store", a->store, "folder of the store (data_dir/store)")
        ->capture_default_str();
    if (dir != nullptr) {
      sub->add_option("dir", a->dir, dir)->required();
    }
    sub->add_flag("--json", a->json, "as JSON");
    sub->callback([&action, a, name] {
      a->action = name;
      action = [a] { return belfry::store_command(*a); };
    });
  };
  add("verify", "read every checksum, the record, the changes", nullptr);
  add("backup", "copy the store", "where to; must not exist");
  add("restore", "put a copy in place; the feed gets a new epoch", "the copy");
}

/// What stands where a command should, when it is none; empty: nothing wrong there.
std::string unknown_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') {
    return {};
  }
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  const std::vector<std::string_view> words(names.begin(), names.end());
  if (std::find(words.begin(), words.end(), argv[1]) != words.end()) {
    return {};
  }
  const std::string_view near = belfry::nearest(argv[1], words);
  return fmt::format(
      "belfry: there is no command '{}'{}: expected one that `belfry --help` lists\n",
      belfry::printable(argv[1], 64),
      near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Belfry: traps, syslog, probes and alerts become incidents with their cause."};
  app.set_version_flag("--version", BELFRY_VERSION);
  app.require_subcommand(1);
  app.footer("Exit codes: 0 ok, 1 findings, 2 usage or refusal. Documentation: docs/.");
  Action action;
  add_run(app, action);
  add_check(app, action);
  add_fmt(app, action);
  add_test(app, action);
  add_decode(app, action);
  add_mibs(app, action);
  add_replay(app, action);
  add_lists(app, action);
  add_acts(app, action);
  add_load(app, action);
  add_store(app, action);
  if (const std::string wrong = unknown_command(app, argc, argv); !wrong.empty()) {
    fmt::print(stderr, "{}", wrong);
    return 2;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return action ? action() : 2;
}
