#pragma once
// `belfry incidents|tickets|feed|ack|silence|reload`: they talk to a running server over its API.
//
// Where it is and who asks: `--server` and `--token-file`, else BELFRY_SERVER and
// BELFRY_TOKEN_FILE, else what the server left in its data folder (addresses.json, admin.token),
// else the configuration. Exit codes: 0 ok, 1 findings (a reload that was refused), 2 usage,
// refusal or no server.
#include <cstdint>
#include <string>
#include <vector>

namespace belfry {

/// Shared by all of them.
struct ClientArguments {
  std::string config = "config/belfry.yaml";  ///< names the data folder; may be missing
  std::string server;                         ///< "http://127.0.0.1:8514"
  std::string token_file;
  std::string ca_file;  ///< PEM: who signed the server's certificate
  bool json = false;    ///< as the API gives it
};

struct IncidentsArguments {
  std::string id;  ///< one of them, with symptoms and evidence
  std::string rule, state, node, customer, text;
  bool closed = false;  ///< also those that closed lately
  bool no_symptoms = false;
  std::size_t limit = 100;
};
int incidents_command(const ClientArguments& client, const IncidentsArguments& arguments);

struct TicketsArguments {
  std::string id;  ///< one of them, with its timeline
  std::string owner, state, priority, text;
  bool closed = false;
  std::size_t limit = 100;
};
int tickets_command(const ClientArguments& client, const TicketsArguments& arguments);

struct FeedArguments {
  std::string after;        ///< cursor; empty: from now
  std::uint64_t count = 0;  ///< end after so many changes; 0 = never
};
/// One line a change. Comes back with its cursor when the server or the network was away.
int feed_command(const ClientArguments& client, const FeedArguments& arguments);

struct MoveArguments {
  std::string ticket;        ///< T-12
  std::string move = "ack";  ///< ack, claim, comment, resolve ...
  std::string text, person;
  std::uint64_t expect = 0;  ///< version last seen; 0 = any
};
int move_command(const ClientArguments& client, const MoveArguments& arguments);

struct SilenceArguments {
  std::string rule;
  std::vector<std::string> match;  ///< key parts in the rule's order, `*` at the end = any
  std::string last;                ///< "2h"
  std::string until;               ///< RFC 3339
  bool end = false;                ///< end it instead
};
int silence_command(const ClientArguments& client, const SilenceArguments& arguments);

int reload_command(const ClientArguments& client);

}  // namespace belfry
