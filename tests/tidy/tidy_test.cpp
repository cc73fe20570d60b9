// Checks what the compiler and clang-tidy cannot: who may include whom, where third-party headers
// may stand, the traps of our compilers, and words that have a better one. Its rules have tests
// themselves.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

/// STYLE 3. Modules of one floor never include each other, but for the pairs below.
const std::map<std::string, int> kFloor{
    {"base", 0},     {"model", 1},     {"runtime", 1},   {"store", 2},  {"journal", 2},
    {"rules", 2},    {"inventory", 2}, {"correlate", 3}, {"desk", 3},   {"view", 4},
    {"pipeline", 4}, {"replay", 4},    {"intake", 5},    {"syslog", 5}, {"snmp", 5},
    {"probe", 5},    {"webhook", 5},   {"gateway", 5},   {"outbox", 5}, {"app", 6}};

/// Sideways steps that are meant: journal stands on store, pipeline publishes to view, collectors
/// share intake, and the gateway hands posted events to the webhook collector.
const std::set<std::pair<std::string, std::string>> kSideways{
    {"journal", "store"}, {"pipeline", "view"},  {"syslog", "intake"},  {"snmp", "intake"},
    {"probe", "intake"},  {"webhook", "intake"}, {"gateway", "webhook"}};

struct Source {
  std::string path, module, text;
  bool test = false;
};

std::string read(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// engine/X, collectors/X, include/belfry/X belong to module X; rules/lang to `rules`.
std::string module_of(const std::string& top, const fs::path& relative) {
  return top == "rules" ? "rules" : relative.begin()->string();
}

std::vector<Source> sources() {
  std::vector<Source> out;
  for (const std::string top : {"engine", "include/belfry", "collectors", "rules"}) {
    const fs::path root = fs::path(BELFRY_ROOT) / top;
    if (!fs::exists(root)) {
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      const std::string extension = entry.path().extension();
      if (extension != ".cpp" && extension != ".hpp") {
        continue;
      }
      const std::string file = entry.path().filename();
      out.push_back({entry.path(), module_of(top, fs::relative(entry.path(), root)),
                     read(entry.path()),
                     file.ends_with("_test.cpp") || file.ends_with("_fuzz.cpp") ||
                         file.ends_with("_bench.cpp")});
    }
  }
  return out;
}

/// The offending include, or nothing.
std::string bad_include(const std::string& module, const std::string& text) {
  static const std::regex kInclude(R"re(#include "belfry/([a-z]+)/)re");
  const auto from = kFloor.find(module);
  if (from == kFloor.end()) {
    return "module '" + module + "' has no floor";
  }
  for (std::sregex_iterator i(text.begin(), text.end(), kInclude), end; i != end; ++i) {
    const std::string to = (*i)[1];
    const auto floor = kFloor.find(to);
    if (floor == kFloor.end()) {
      return "belfry/" + to + " has no floor";
    }
    if (to != module && floor->second >= from->second && !kSideways.contains({module, to})) {
      return module + " may not include " + to;
    }
  }
  return {};
}

TEST(Tidy, IncludesGoDownAndNeverSideways) {
  for (const Source& s : sources()) {
    EXPECT_EQ(bad_include(s.module, s.text), "") << s.path;
  }
}

TEST(Tidy, TheFloorRuleItselfFindsAStepUp) {
  EXPECT_NE(bad_include("model", "#include \"belfry/rules/program.hpp\"\n"), "");
  EXPECT_NE(bad_include("desk", "#include \"belfry/correlate/correlator.hpp\"\n"), "");
  EXPECT_EQ(bad_include("journal", "#include \"belfry/store/store.hpp\"\n"), "");
}

struct ThirdParty {
  std::string include;
  std::set<std::string> modules;
};
/// Third-party headers stay in the module that owns them, in its .cpp files.
const std::vector<ThirdParty> kThirdParty{
    {"<rocksdb/", {"store", "journal"}},
    {"<boost/asio", {"syslog", "gateway", "outbox", "probe", "snmp", "webhook", "app"}},
    {"<boost/beast", {"gateway", "webhook", "probe", "app"}},
    {"<ares", {"probe"}},
    {"<re2/", {"rules"}},
    {"<hs", {"rules"}},
    {"<curl/", {"outbox", "app"}},
    {"<CLI/", {"app"}},
    {"<yaml-cpp/", {"app"}},
    {"<spdlog/", {"runtime"}},
    {"<net-snmp", {"snmp"}},
    {"<openssl/", {"probe", "snmp", "syslog", "gateway", "outbox", "app"}},
    {"<zstd.h>", {"journal", "store", "pipeline"}},
    {"<xxhash.h>", {"base"}}};

TEST(Tidy, ThirdPartyHeadersStayWithTheirOwner) {
  for (const Source& s : sources()) {
    for (const ThirdParty& third : kThirdParty) {
      if (s.text.find("#include " + third.include) == std::string::npos) {
        continue;
      }
      EXPECT_TRUE(third.modules.contains(s.module)) << s.path << " includes " << third.include;
      EXPECT_EQ(s.path.find("/include/"), std::string::npos)
          << s.path << ": faces show no " << third.include;
    }
  }
}

TEST(Tidy, NothingIsBuiltInsideACoAwaitExpression) {
  // g++ 12.2 destroys such a temporary twice.
  const std::regex trap(R"re(co_await[^;{]*(\w\{|[(,]\s*\{|\[[^\]]+\]\s*[({]))re");
  for (const Source& s : sources()) {
    EXPECT_FALSE(std::regex_search(s.text, trap)) << s.path << ": name it first, then std::move it";
  }
}

struct Word {
  std::string bad, better;
  std::set<std::string> modules_that_may;
};
const std::vector<Word> kWords{
    {"system_clock::now", "an Instant that is handed in (Clock at the edges)", {"runtime", "app"}},
    {"std::regex", "RE2 behind a literal anchor, or a hand-written scan", {}},
    {"std::cout", "fmt::print", {}},
    {"std::endl", "'\\n'", {}},
    {"std::rand(", "randomness that is handed in", {}},
    {"random_device", "randomness that is handed in", {"app", "pipeline", "gateway", "outbox"}},
    {"sleep_for(", "a condition, an event or virtual time", {"app"}},
    {"strcpy(", "std::string or std::memcpy with a bound", {}},
    {"sprintf(", "fmt::format", {}},
    {"FIXME", "an issue, or the mended code", {}},
    {"TODO", "an issue, or the written code", {}},
    {"XXX:", "an issue, or the written code", {}},
    {"absl::string_view", "std::string_view", {}}};

TEST(Tidy, WordsThatHaveABetterOne) {
  for (const Source& s : sources()) {
    for (const Word& word : kWords) {
      if (!s.test && !word.modules_that_may.contains(s.module)) {
        EXPECT_EQ(s.text.find(word.bad), std::string::npos)
            << s.path << ": '" << word.bad << "': use " << word.better;
      }
    }
  }
}

/// Longest run of lines between a line at column 0 that ends in `{` and its `}` at column 0,
/// leaving out namespaces and types: the longest function.
std::pair<std::size_t, std::string> longest_function(const std::string& text) {
  static const std::regex kNotAFunction(
      R"re(^(namespace|struct|class|enum|union|extern|const|constexpr|inline constexpr|static|template)\b.*)re");
  std::pair<std::size_t, std::string> longest{0, ""};
  std::istringstream in(text);
  std::string line, name;
  std::size_t lines = 0;
  while (std::getline(in, line)) {
    if (line.starts_with("}")) {
      if (!name.empty() && lines > longest.first) {
        longest = {lines, name};
      }
      name.clear();
    } else if (!line.empty() && line[0] != ' ' && line[0] != '#' && line.ends_with("{")) {
      name = std::regex_match(line, kNotAFunction) ? "" : line;
      lines = 0;
    } else {
      ++lines;
    }
  }
  return longest;
}

TEST(Tidy, FunctionsFitAScreen) {
  for (const Source& s : sources()) {
    const auto [lines, name] = longest_function(s.text);
    if (!s.test) {
      EXPECT_LE(lines, 70U) << s.path << ": " << name;
    }
  }
}

TEST(Tidy, LinesFit) {
  for (const Source& s : sources()) {
    std::istringstream in(s.text);
    std::string line;
    bool raw = false;  // inside R"(...)", which clang-format leaves as it is
    for (int n = 1; std::getline(in, line); ++n) {
      raw = raw || line.find("R\"") != std::string::npos;
      if (raw) {
        raw = line.find(")\"") == std::string::npos && line.find(")bell\"") == std::string::npos;
        continue;
      }
      // clang-format cannot break a literal; everything else fits 100 columns.
      if (line.find('"') == std::string::npos) {
        std::size_t columns = 0;
        for (const char c : line) {
          columns += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1U : 0U;
        }
        EXPECT_LE(columns, 100U) << s.path << ":" << n;
      }
    }
  }
}

TEST(Tidy, EveryModuleSaysWhatItIs) {
  std::set<fs::path> folders;
  for (const Source& s : sources()) {
    if (s.path.find("/include/") == std::string::npos && s.path.ends_with(".cpp")) {
      fs::path folder = fs::path(s.path).parent_path();
      while (!fs::exists(folder / "CMakeLists.txt")) {
        folder = folder.parent_path();
      }
      folders.insert(folder);
    }
  }
  for (const fs::path& folder : folders) {
    EXPECT_TRUE(fs::exists(folder / "README.md"))
        << folder << ": ten lines: in, out, promise, drops";
  }
}

TEST(Tidy, NoMachineOrWorkplaceIsNamed) {
  const std::vector<std::string> bad{
      "/work"
      "/",
      "/home/", "helper-"};
  for (const Source& s : sources()) {
    for (const std::string& word : bad) {
      EXPECT_EQ(s.text.find(word), std::string::npos) << s.path << " names " << word;
    }
  }
}

}  // namespace
