// docs/bell.ebnf is the source of truth: the parser accepts every sentence made from it, and fmt
// keeps what the sentence says.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "belfry/rules/format.hpp"
#include "parser.hpp"

namespace belfry::rules {
namespace {

enum class PartKind { Word, Name, All, Any, Maybe, Many };

struct Part {
  PartKind kind = PartKind::All;
  std::string text;
  std::vector<Part> parts;
  int least = 1000;             ///< depth that it takes at least
  std::vector<unsigned> taken;  ///< of Any: how often each alternative was made
};

/// Reads EBNF: `name = ... ;`, comments, "words", [ ] { } ( ) |.
class Reader {
 public:
  explicit Reader(const std::string& text) {
    for (std::size_t i = 0; i < text.size();) {
      if (text.compare(i, 2, "(*") == 0) {
        i = text.find("*)", i) + 2;
      } else if (std::isspace(static_cast<unsigned char>(text[i])) != 0) {
        ++i;
      } else if (text[i] == '"') {
        const std::size_t end = text.find('"', i + 1) + 1;
        tokens_.push_back(text.substr(i, end - i));
        i = end;
      } else if (std::isalpha(static_cast<unsigned char>(text[i])) != 0) {
        std::size_t end = i;
        while (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_') {
          ++end;
        }
        tokens_.push_back(text.substr(i, end - i));
        i = end;
      } else {
        tokens_.emplace_back(1, text[i++]);
      }
    }
  }

  std::map<std::string, Part> grammar() {
    std::map<std::string, Part> out;
    while (at_ < tokens_.size()) {
      const std::string name = next();
      EXPECT_EQ(next(), "=") << name;
      EXPECT_FALSE(out.contains(name)) << name << " is defined twice";
      out[name] = choice();
      EXPECT_EQ(next(), ";") << name;
    }
    return out;
  }

 private:
  std::string next() { return at_ < tokens_.size() ? tokens_[at_++] : ""; }
  bool at(const char* what) const { return at_ < tokens_.size() && tokens_[at_] == what; }

  Part choice() {
    Part any;
    any.kind = PartKind::Any;
    do {
      any.parts.push_back(sequence());
    } while (at("|") && !next().empty());
    any.taken.resize(any.parts.size());
    return any.parts.size() == 1 ? any.parts[0] : any;
  }
  Part sequence() {
    Part all;
    while (at_ < tokens_.size() && std::string("|;])}").find(tokens_[at_]) == std::string::npos) {
      all.parts.push_back(one());
    }
    return all;
  }
  Part group(PartKind kind, const char* end) {
    Part out;
    out.kind = kind;
    out.parts.push_back(choice());
    out.taken.resize(2);
    EXPECT_EQ(next(), end);
    return out;
  }
  Part one() {
    const std::string token = next();
    if (token == "(") {
      return group(PartKind::All, ")");
    }
    if (token == "[") {
      return group(PartKind::Maybe, "]");
    }
    if (token == "{") {
      return group(PartKind::Many, "}");
    }
    Part out;
    out.kind = token[0] == '"' ? PartKind::Word : PartKind::Name;
    out.text = out.kind == PartKind::Word ? token.substr(1, token.size() - 2) : token;
    return out;
  }

  std::vector<std::string> tokens_;
  std::size_t at_ = 0;
};

const std::map<std::string, std::vector<std::string>> kTokens{
    {"ID", {"a", "b2", "node", "peer", "ifname", "link_down", "site", "none", "Up"}},
    {"STRING",
     {"\"x\"", "\"\"", "\"a {b.c ?? \"-\"} d\"", "\"5 \\\" \\{\"", "\"%LINK-3: {p} down\""}},
    {"REGEX", {"/down (?P<a>x+)/", "/a\\/b/"}},
    {"NUM", {"0", "5", "100000", "1.5"}},
    {"PCT", {"60%", "2.5%"}},
    {"DUR", {"0s", "500ms", "30s", "5m", "1h30m", "1w"}},
    {"IP", {"10.0.0.1"}},
    {"CIDR", {"10.0.0.0/8"}},
    {"TIME", {"2026-03-14T22:00", "2026-03-14T22:00:05.25Z", "2026-03-14T22:00+01:00"}},
    {"TOD", {"09:00", "18:30"}},
    {"OID", {"1.3.6.1.4.1.9", "1.3.6"}},
    {"MIBNAME", {"IF-MIB::linkDown", "X::y"}},
    {"AGG", {"count", "flaps", "rate", "sum", "avg", "min", "max", "distinct", "share", "eta"}},
    {"RELOP", {"==", "!=", "<", "<=", ">", ">="}}};

constexpr std::size_t kLongEnough = 2000;

class Grammar {
 public:
  explicit Grammar(const std::string& text) : rules_(Reader(text).grammar()) {
    for (int round = 0; round < 100; ++round) {
      for (auto& [name, part] : rules_) {
        settle(part);
      }
    }
  }

  std::map<std::string, Part>& rules() { return rules_; }

  std::string sentence(const std::string& rule, unsigned seed, int depth) {
    random_.seed(seed);
    std::string out;
    say(rules_.at(rule), depth, out);
    return out;
  }

 private:
  void settle(Part& part) {
    int least = part.kind == PartKind::Any ? 1000 : 0;
    for (Part& inner : part.parts) {
      settle(inner);
      least =
          part.kind == PartKind::Any ? std::min(least, inner.least) : std::max(least, inner.least);
    }
    switch (part.kind) {
      case PartKind::Word:
      case PartKind::Maybe:
      case PartKind::Many:
        part.least = 0;
        break;
      case PartKind::Name:
        part.least = kTokens.contains(part.text)  ? 0
                     : rules_.contains(part.text) ? rules_[part.text].least + 1
                                                  : 1000;
        break;
      default:
        part.least = least;
    }
  }

  std::size_t pick(std::size_t n) { return random_() % n; }

  void say(Part& part, int depth, std::string& out) {
    switch (part.kind) {
      case PartKind::Word:
        out += part.text + " ";
        return;
      case PartKind::Name:
        if (const auto token = kTokens.find(part.text); token != kTokens.end()) {
          out += token->second[pick(token->second.size())] + " ";
        } else {
          say(rules_.at(part.text), depth - 1, out);
          out += part.text == "declaration" ? "\n" : "";
        }
        return;
      case PartKind::All:
        for (Part& inner : part.parts) {
          say(inner, depth, out);
        }
        return;
      case PartKind::Any:
        return say_one(part, depth, out);
      default:
        break;
    }
    // Short more often than long, and none at all when the sentence is long enough.
    static constexpr std::array<std::size_t, 8> kTimes{0, 0, 0, 1, 1, 1, 2, 3};
    const bool fits = part.parts[0].least <= depth && out.size() < kLongEnough;
    std::size_t times = !fits ? 0 : part.kind == PartKind::Maybe ? pick(2) : kTimes[pick(8)];
    ++part.taken[times > 0 ? 1 : 0];
    for (; times > 0; --times) {
      say(part.parts[0], depth, out);
    }
  }

  void say_one(Part& any, int depth, std::string& out) {
    std::vector<std::size_t> fit;
    std::size_t shortest = 0;
    for (std::size_t i = 0; i < any.parts.size(); ++i) {
      if (any.parts[i].least <= depth) {
        fit.push_back(i);
      }
      shortest = any.parts[i].least < any.parts[shortest].least ? i : shortest;
    }
    const std::size_t i = fit.empty() ? shortest : fit[pick(fit.size())];
    ++any.taken[i];
    say(any.parts[i], depth, out);
  }

  std::map<std::string, Part> rules_;
  std::mt19937 random_{1};
};

std::string ebnf() {
  std::stringstream text;
  text << std::ifstream(std::filesystem::path(BELFRY_ROOT) / "docs/bell.ebnf").rdbuf();
  return text.str();
}

std::string complaints(const std::string& text) {
  const SourceFile file{"s.bell", text};
  Report report(std::span(&file, 1));
  parse_file(file.text, 0, report);
  Compiled out;
  report.finish(out);
  return render(out.diagnostics, std::span(&file, 1), false);
}

void undefined(const Part& part, const std::map<std::string, Part>& rules,
               std::set<std::string>& out, std::set<std::string>& used) {
  if (part.kind == PartKind::Name) {
    used.insert(part.text);
    if (!rules.contains(part.text) && !kTokens.contains(part.text)) {
      out.insert(part.text);
    }
  }
  for (const Part& inner : part.parts) {
    undefined(inner, rules, out, used);
  }
}

void never_taken(const std::string& rule, const Part& part, std::vector<std::string>& out) {
  for (std::size_t i = 0; i < part.taken.size(); ++i) {
    if (part.taken[i] == 0 && (part.kind == PartKind::Any || part.kind == PartKind::Maybe ||
                               part.kind == PartKind::Many)) {
      out.push_back(rule + " alternative " + std::to_string(i + 1));
    }
  }
  for (const Part& inner : part.parts) {
    never_taken(rule, inner, out);
  }
}

TEST(Grammar, EveryNameIsDefinedAndUsed) {
  const std::map<std::string, Part> rules = Reader(ebnf()).grammar();
  ASSERT_GT(rules.size(), 40U);
  std::set<std::string> missing, used{"file"};
  for (const auto& [name, part] : rules) {
    undefined(part, rules, missing, used);
  }
  EXPECT_EQ(missing, std::set<std::string>{});
  for (const auto& [name, part] : rules) {
    EXPECT_TRUE(used.contains(name)) << name;
  }
  for (const auto& [name, words] : kTokens) {
    EXPECT_TRUE(used.contains(name)) << name;
  }
}

std::string sentence(Grammar& grammar, unsigned seed) {
  static constexpr std::array<const char*, 8> kRoots{"declaration", "file", "rule",       "signal",
                                                     "test",        "rule", "escalation", "cause"};
  return grammar.sentence(kRoots[seed % kRoots.size()], seed, 6 + static_cast<int>(seed % 23));
}

TEST(Grammar, TheParserAcceptsEverySentence) {
  Grammar grammar(ebnf());
  for (unsigned seed = 1; seed <= 6000; ++seed) {
    const std::string text = sentence(grammar, seed);
    ASSERT_EQ(complaints(text), "") << "seed " << seed << "\n" << text.substr(0, 2000);
  }
  std::vector<std::string> never;
  for (const auto& [name, part] : grammar.rules()) {
    never_taken(name, part, never);
  }
  EXPECT_EQ(never, std::vector<std::string>{});  // every alternative was made at least once
}

void expect_stable(const std::string& text, unsigned seed) {
  const Formatted once = format({"s.bell", text});
  ASSERT_TRUE(once.done) << "seed " << seed << "\n" << text.substr(0, 2000);
  const Formatted twice = format({"s.bell", once.text});
  ASSERT_TRUE(twice.done) << "seed " << seed << "\n" << once.text;
  ASSERT_EQ(twice.text, once.text) << "seed " << seed << "\n" << text.substr(0, 2000);
}

TEST(Grammar, FmtKeepsEverySentenceAndStops) {
  Grammar grammar(ebnf());
  for (unsigned seed = 1; seed <= 1500; ++seed) {
    ASSERT_NO_FATAL_FAILURE(expect_stable(sentence(grammar, seed), seed));
  }
}

/// The tokens of the text with other trivia between.
std::string respaced(const std::string& text, const std::function<std::string()>& between) {
  std::string out;
  for (const Token& token : lex(text, 0, text.size(), 0, nullptr)) {
    if (!is_trivia(token.kind)) {
      out += text.substr(token.offset, token.length) + between();
    }
  }
  return out;
}

TEST(Grammar, FmtGivesOneTextForAllSpacings) {
  Grammar grammar(ebnf());
  for (unsigned seed = 1; seed <= 500; ++seed) {
    std::mt19937 random(seed);
    const std::string text = sentence(grammar, seed);
    const std::string other = respaced(text, [&] {
      return std::array<std::string, 4>{" ", "\t  ", "\n", "\r\n  "}[random() % 4];
    });
    ASSERT_EQ(format({"s.bell", other}).text, format({"s.bell", text}).text) << seed;
  }
}

TEST(Grammar, FmtKeepsEveryCommentWhereverItStands) {
  Grammar grammar(ebnf());
  for (unsigned seed = 1; seed <= 1500; ++seed) {
    std::mt19937 random(seed);
    unsigned comments = 0;
    const std::string text = respaced(sentence(grammar, seed), [&]() -> std::string {
      const unsigned what = random() % 30;
      if (what > 3) {
        return what == 4 ? "\n\n\n" : " ";
      }
      const std::string comment = "#c" + std::to_string(comments++) + ";  \n";
      return what == 0 ? "\n" + comment : what == 1 ? "\n\n" + comment : " " + comment;
    });
    ASSERT_NO_FATAL_FAILURE(expect_stable(text, seed));
    const std::string made = format({"s.bell", text}).text;
    for (unsigned i = 0; i < comments; ++i) {
      const std::string comment = "#c" + std::to_string(i) + ";";
      const std::size_t at = made.find(comment);
      ASSERT_NE(at, std::string::npos) << seed << "\n" << text << "\n" << made;
      ASSERT_EQ(made.find(comment, at + 1), std::string::npos) << seed;
      ASSERT_EQ(made[at + comment.size()], '\n') << seed;
    }
  }
}

}  // namespace
}  // namespace belfry::rules
