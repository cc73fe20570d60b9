// Runs every *.scenario beside this file: see README.md for the language.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "belfry/base/text.hpp"
#include "versions.hpp"
#include "world.hpp"

namespace belfry::scenario {
namespace {

namespace fs = std::filesystem;

constexpr Instant kStart{1'790'000'000'000'000'000};

struct Line {
  int number = 0;
  Duration at{0};
  bool want = false;
  std::string kind, rest;
};

struct Scenario {
  std::string path;
  Config config;
  std::vector<Line> lines;
};

Scenario read(const fs::path& path) {
  Scenario s;
  s.path = path;
  s.config = *load_config(std::string(BELFRY_ROOT) + "/config/belfry.yaml");
  s.config.rules = {std::string(BELFRY_ROOT) + "/rules/packs/isp-core"};
  s.config.inventory = std::string(BELFRY_ROOT) + "/config/inventory";
  std::ifstream in(path);
  std::string text;
  for (int n = 1; std::getline(in, text); ++n) {
    std::istringstream words(text);
    Line line;
    std::string first, time;
    if (!(words >> first) || first.starts_with("#")) {
      continue;
    }
    words >> time >> line.kind;
    std::getline(words, line.rest);
    line.rest = std::string(trim(line.rest));
    line.number = n;
    line.want = first == "want";
    const auto at = parse_duration(time);
    EXPECT_TRUE((first == "at" || line.want) && at)
        << path << ":" << n << ": expected 'at TIME' or 'want TIME'";
    line.at = at.value_or(Duration{0});
    s.lines.push_back(line);
  }
  std::stable_sort(s.lines.begin(), s.lines.end(), [](const Line& a, const Line& b) {
    return std::make_pair(a.at, a.want) < std::make_pair(b.at, b.want);
  });
  return s;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string word; in >> word;) {
    out.push_back(word);
  }
  return out;
}

void act(World& world, const Line& line) {
  const auto words = words_of(line.rest);
  if (line.kind == "syslog") {
    const std::size_t space = line.rest.find(' ');
    world.syslog(line.rest.substr(0, space), line.rest.substr(space + 1));
  } else if (line.kind == "trap") {
    std::vector<std::pair<std::string, std::string>> varbinds;
    for (std::size_t i = 2; i < words.size(); ++i) {
      const std::size_t equals = words[i].find('=');
      varbinds.emplace_back(words[i].substr(0, equals), words[i].substr(equals + 1));
    }
    world.trap(words.at(0), trap_packet(words.at(1), varbinds));
  } else if (line.kind == "probe") {
    world.probe(words.at(0), words.at(1), words.at(2));
  } else if (line.kind == "works") {
    std::string ref;
    Instant from = kStart, to = kStart;
    for (std::size_t i = 1; i < words.size(); ++i) {
      const std::size_t equals = words[i].find('=');
      const std::string key = words[i].substr(0, equals), value = words[i].substr(equals + 1);
      if (key == "refs") {
        ref = value;
      } else {
        (key == "from" ? from : to) = kStart + *parse_duration(value);
      }
    }
    world.works(words.at(0), ref, from, to);
  } else if (line.kind == "command") {
    Command command;
    command.ticket = *parse_ticket_id(words.at(0));
    command.kind = *parse_command_kind(words.at(1));
    command.who = words.at(2);
    for (std::size_t i = 3; i < words.size(); ++i) {
      command.text += (i > 3 ? " " : "") + words[i];
    }
    const CommandResult result = world.command(command);
    EXPECT_TRUE(result.ok) << line.number << ": " << result.message;
  } else {
    ADD_FAILURE() << "line " << line.number << ": '" << line.kind << "' cannot happen";
  }
}

/// `field=value` (equal) and `field~"text"` (contains) against what the thing says of itself in
/// JSON.
void expect_fields(const std::string& json, const std::vector<std::string>& words, std::size_t from,
                   int line) {
  for (std::size_t i = from; i < words.size(); ++i) {
    const std::size_t at = words[i].find_first_of("=~");
    if (at == std::string::npos) {
      continue;
    }
    const std::string key = "\"" + words[i].substr(0, at) + "\":";
    std::string value = words[i].substr(at + 1);
    std::erase(value, '"');
    const std::size_t found = json.find(key);
    ASSERT_NE(found, std::string::npos) << line << ": no " << key << " in " << json;
    std::string_view rest = std::string_view(json).substr(found + key.size());
    if (words[i][at] == '~') {
      EXPECT_NE(rest.substr(0, rest.find("\",\"")).find(value), std::string_view::npos)
          << line << ": " << json;
    } else {
      const bool quoted = rest.starts_with('"');
      rest.remove_prefix(quoted ? 1 : 0);
      EXPECT_EQ(rest.substr(0, rest.find_first_of(quoted ? "\"" : ",}")), value)
          << line << ": " << key;
    }
  }
}

/// Incidents of `rule(key, ...)`; trailing key parts may be left out.
std::vector<Incident> named(const World& world, const std::string& text) {
  const std::size_t open = text.find('(');
  std::vector<std::string> key;
  if (open != std::string::npos) {
    for (const std::string_view part :
         split(std::string_view(text).substr(open + 1, text.size() - open - 2), ',')) {
      key.emplace_back(trim(part));
    }
  }
  std::vector<Incident> out;
  for (const Incident& i : world.incidents()) {
    const bool same = i.rule == text.substr(0, open) && key.size() <= i.key.size() &&
                      std::equal(key.begin(), key.end(), i.key.begin());
    if (same) {
      out.push_back(i);
    }
  }
  return out;
}

std::string everything(const World& world) {
  std::string text;
  for (const Incident& i : world.incidents()) {
    text += "\n  " + to_json(i);
  }
  for (const Ticket& t : world.desk().tickets()) {
    text += "\n  " + to_json(t);
  }
  return text;
}

void check(const World& world, const Line& line) {
  const auto words = words_of(line.rest);
  const auto count_state = [&](const std::vector<Incident>& of, std::string_view state) {
    return std::count_if(of.begin(), of.end(),
                         [&](const Incident& i) { return name(i.state) == state; });
  };
  if (line.kind == "open") {
    EXPECT_EQ(count_state(world.incidents(), "open"), *parse_int(words.at(0)))
        << line.number << everything(world);
  } else if (line.kind == "no") {
    EXPECT_EQ(count_state(named(world, words.at(0)), "open"), 0)
        << line.number << everything(world);
  } else if (line.kind == "incident") {
    const std::size_t close = line.rest.find(')');
    const std::size_t cut =
        close != std::string::npos && close < line.rest.find('=') ? close + 1 : line.rest.find(' ');
    const auto found = named(world, line.rest.substr(0, cut));
    const auto rest = words_of(line.rest.substr(cut));
    ASSERT_EQ(count_state(found, rest.at(0)), 1)
        << line.number << ": " << line.rest << everything(world);
    for (const Incident& i : found) {
      if (name(i.state) == rest.at(0)) {
        expect_fields(to_json(i), rest, 1, line.number);
      }
    }
  } else if (line.kind == "ticket") {
    const auto tickets = world.desk().tickets();
    const auto it = std::find_if(tickets.begin(), tickets.end(),
                                 [&](const Ticket& t) { return to_text(t.id) == words.at(0); });
    ASSERT_NE(it, tickets.end()) << line.number << everything(world);
    EXPECT_EQ(name(it->state), words.at(1)) << line.number;
    expect_fields(to_json(*it), words, 2, line.number);
  } else if (line.kind == "told") {
    const auto lines = world.desk().timeline(*parse_ticket_id(words.at(0)));
    const auto of = std::count_if(lines.begin(), lines.end(),
                                  [&](const TimelineEntry& e) { return e.what == words.at(1); });
    EXPECT_EQ(of, *parse_int(words.at(2))) << line.number << everything(world);
  } else if (line.kind == "effect") {
    const bool sent =
        std::any_of(world.effects().begin(), world.effects().end(), [&](const Effect& e) {
          return name(e.kind) == words.at(0) && e.target + ":" + e.address == words.at(1);
        });
    EXPECT_TRUE(sent) << line.number << ": " << line.rest;
  } else if (line.kind == "effects") {
    const auto of_kind =
        std::count_if(world.effects().begin(), world.effects().end(),
                      [&](const Effect& e) { return name(e.kind) == words.at(0); });
    EXPECT_EQ(of_kind, *parse_int(words.at(1))) << line.number << everything(world);
  } else {
    ADD_FAILURE() << "line " << line.number << ": '" << line.kind << "' cannot be wanted";
  }
}

class ScenarioTest : public testing::TestWithParam<std::string> {};

TEST_P(ScenarioTest, GoesAsWritten) {
  const Scenario s =
      read(fs::path(BELFRY_ROOT) / "tests" / "scenario" / (GetParam() + ".scenario"));
  LoadedVersions loaded = load_versions(s.config);
  ASSERT_TRUE(loaded.errors.empty()) << loaded.errors.front();
  loaded.versions.number = 1;
  World world(loaded.versions, s.config.desk, kStart);
  for (const Line& line : s.lines) {
    world.advance(kStart + line.at);
    line.want ? check(world, line) : act(world, line);
  }
  EXPECT_GT(world.events(), 0U);
}

std::vector<std::string> all() {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(fs::path(BELFRY_ROOT) / "tests" / "scenario")) {
    if (entry.path().extension() == ".scenario") {
      out.push_back(entry.path().stem());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

INSTANTIATE_TEST_SUITE_P(All, ScenarioTest, testing::ValuesIn(all()), [](const auto& info) {
  std::string text = info.param;
  std::replace(text.begin(), text.end(), '-', '_');
  return text;
});

}  // namespace
}  // namespace belfry::scenario
