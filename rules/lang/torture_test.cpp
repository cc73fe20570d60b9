// Many mistakes in one run, each told once; and every code that the sources name is explained.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "compile_test_texts.hpp"
#include "parser.hpp"

namespace belfry::rules {
namespace {

struct Planted {
  const char* code;
  const char* text;  ///< one declaration; its lines are its own
};

/// Names differ, so that no mistake is the consequence of another.
const Planted kPlanted[]{
    {"B0200", "rule p1 { when host_donw open { title \"x\" } }"},
    {"B0101", "rule p2 { when count(if_down) within 10m open { title \"x\" } }"},
    {"B0102", "rule p3 { when if_down then if_down open { title \"x\" } }"},
    {"B0105", "rule p4 { whne if_down open { title \"x\" } }"},
    {"B0202", "rule p5 { when host_down open { title \"{nod.name}\" } }"},
    {"B0203", "rule p6 { when host_down open { title \"{node.nmae}\" } }"},
    {"B0208", "rule p7 { when host_down open { title \"x\" escalate bakcbone } }"},
    {"B0211", "rule p8 { when host_down open { title \"x\" severity crit } }"},
    {"B0213", "rule p9 { when host_down open { titel \"x\" } }"},
    {"B0107", "rule q1 { when host_down where node.role = \"x\" open { title \"x\" } }"},
    {"B0106", "rule q2 { when host_down where 1 < 2 < 3 open { title \"x\" } }"},
    {"B0304", "rule q3 { when host_down where node.role == 5 open { title \"x\" } }"},
    {"B0306", "rule q4 { when host_down where node.pool == none open { title \"x\" } }"},
    {"B0012", "rule q5 { when host_down for 5x open { title \"x\" } }"},
    {"B0010", "rule q6 { when host_down for 5m; open { title \"x\" } }"},
    {"B0508", "rule q7 { when host_down settle 1s settle 2s open { title \"x\" } }"},
    {"B0506", "rule q8 { when count(host_down) >= 5 open { title \"x\" } }"},
    {"B0510", "rule q9 { when beat open { title \"x\" } }"},
    {"B0505", "rule r1 { open { title \"x\" } }"},
    {"B0201", "signal p1s(node: devise) { raise syslog \"hello p1s\" expire 1h }"},
    {"B0204", "signal p2s(node: device) { raise sysloog \"hello p2s\" expire 1h }"},
    {"B0207", "signal p3s(node: device) { raise trap IF-MIB::linkDwon expire 1h }"},
    {"B0400", "signal p4s(peer: ip) { raise syslog \"hello p4s\" expire 1h }"},
    {"B0402", "signal p5s(app: string) { raise syslog \"hello {app}{_}\" expire 1h }"},
    {"B0011", "signal p6s(node: device) { raise syslog \"hello p6s\n expire 1h }"},
    {"B0405", "signal p7s(node: device) { raise syslog /a(?=b)/ expire 1h }"},
    {"B0301", "cause unreachable(up, x, y) of interface_down(node, ifname)"},
    {"B0650", "policy p1p(i: impact) -> priority { P1 if i == outage }"},
    {"B0651", "escalation p1e { after 0m notify \"desk\" unless akced }"},
    {"B0104", "rulle r2 { when host_down open { title \"x\" } }"},
    {"B0212", "use \"nowhere.bell\""},
    {"B0206", "test \"p1t\" { given devcie { name: \"x\" } }"},
    {"B0100", "test \"p2t\" { +5 syslog { node: \"x\" } }"},
};

std::string all_of(const std::vector<Diagnostic>& found, std::span<const SourceFile> files) {
  return render(found, files, false);
}

TEST(Torture, EveryPlantedErrorIsToldOnceInOneRun) {
  std::string text = texts::kPrelude + texts::kNetwork;
  std::map<std::uint32_t, std::string> expected;  // line -> code
  for (const Planted& planted : kPlanted) {
    expected[static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n')) + 1] =
        planted.code;
    text += std::string(planted.text) + "\n";
  }
  const SourceFile files[]{{"t.bell", text}, {"calendars/fr_holidays.csv", texts::kHolidays}};
  const Compiled out = compile(files);
  std::map<std::uint32_t, std::vector<std::string>> found;
  for (const Diagnostic& d : out.diagnostics) {
    if (d.level == DiagnosticLevel::Error) {
      // The declaration in whose lines it stands.
      found[std::prev(expected.upper_bound(d.place.line))->first].push_back(d.code);
    }
  }
  for (const auto& [line, code] : expected) {
    EXPECT_EQ(found[line], std::vector<std::string>{code}) << "line " << line;
  }
  EXPECT_EQ(out.errors, std::size(kPlanted)) << all_of(out.diagnostics, files);
}

/// One token taken out of a correct file: few messages, and the first near the place.
TEST(Torture, ALostTokenIsFewMessages) {
  const std::string text = texts::kNetwork;
  std::size_t worst = 0, sum = 0, runs = 0;
  std::string worst_text;
  const std::vector<Token> tokens = lex(text, 0, text.size(), 0, nullptr);
  for (const Token& token : tokens) {
    if (is_trivia(token.kind) || token.kind == TokenKind::End) {
      continue;
    }
    SourceFile file{"t.bell", text};
    file.text.replace(token.offset, token.length, "");
    Report report(std::span<const SourceFile>(&file, 1));
    parse_file(file.text, 0, report);
    ++runs;
    sum += report.errors();
    if (report.errors() > worst) {
      worst = report.errors();
      worst_text = text.substr(token.offset > 60 ? token.offset - 60 : 0, 120);
    }
  }
  EXPECT_GT(runs, 300U);
  EXPECT_LE(worst, 3U) << worst_text;
  EXPECT_LE(sum, runs * 6 / 5);
}

/// The example of the language's specification, in its words.
TEST(Torture, TheSpecificationsExampleReadsAsWritten) {
  const SourceFile prelude{"prelude.bell", texts::kPrelude};
  const SourceFile files[]{
      {"broken.bell",
       "signal if_down(node: device, ifname: string) {\n"
       "  raise syslog \"%LINK-3-UPDOWN: Interface {ifname}, changed state to down\"\n"
       "  expire 1h\n"
       "}\n"
       "rule flapping {\n"
       "  when count(if_donw) within 10m\n"
       "  open { title \"x\" }\n"
       "}\n"
       "rule sequence {\n"
       "  when if_down(node, ifname)\n"
       "       then if_down(node, ifname)\n"
       "  open { title \"x\" }\n"
       "}\n"
       "rule unreachable {\n"
       "  when if_down by node, ifname\n"
       "  open { title \"x\" }\n"
       "}\n"
       "\n"
       "cause unreachable(up, x) of if_down(node, ifname, extra)\n"},
      prelude,
      {"calendars/fr_holidays.csv", texts::kHolidays}};
  const Compiled out = compile(files);
  const std::string text = all_of(out.diagnostics, files);
  for (const char* piece :
       {"error: no signal, measure, rule or event is called 'if_donw'\n", " --> broken.bell:6:14\n",
        "6 |   when count(if_donw) within 10m\n",
        "  |              ^^^^^^^  did you mean 'if_down'?\n",
        "error: an aggregate is compared: expected >=, >, <, <=, == or !=, found 'within'\n",
        "  |                       ^^^^^^  e.g. count(if_down) >= 5 within 10m\n",
        "error: a sequence needs a time bound: expected 'within <duration>', found 'open'\n",
        "^^^^  state for an unbounded wait would never be freed\n",
        "error: 'if_down' has 2 parameters, 3 given\n", "if_down(node, ifname)\n"}) {
    EXPECT_NE(text.find(piece), std::string::npos) << piece << "\nin\n" << text;
  }
  EXPECT_EQ(out.errors, 4U) << text;
}

TEST(Torture, EveryCodeInTheSourcesIsExplained) {
  std::set<std::string> used;
  for (const char* folder : {"rules/lang", "engine/app"}) {
    for (const auto& entry :
         std::filesystem::directory_iterator(std::filesystem::path(BELFRY_ROOT) / folder)) {
      const std::string name = entry.path().filename().string();
      if (!name.ends_with(".cpp") || name.ends_with("_test.cpp") || name == "codes.cpp") {
        continue;
      }
      std::stringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      const std::string source = text.str();
      for (std::size_t at = source.find("\"B0"); at != std::string::npos;
           at = source.find("\"B0", at + 1)) {
        if (source.size() > at + 6 && source[at + 6] == '"') {
          used.insert(source.substr(at + 1, 5));
        }
      }
    }
  }
  EXPECT_GE(used.size(), 60U);
  for (const std::string& code : used) {
    EXPECT_GE(explain_code(code).size(), 30U) << code;
  }
}

}  // namespace
}  // namespace belfry::rules
