// Calendars: days, hours, zone, and the lists of dates that stand beside the rule files.
#include <algorithm>
#include <array>

#include "belfry/base/text.hpp"
#include "calendar.hpp"
#include "checker.hpp"
#include "zone.hpp"

namespace belfry::rules {

namespace {

constexpr std::array<std::string_view, 7> kDays{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr std::size_t kDatesMax = 100'000;

std::optional<unsigned> day_of(std::string_view word) {
  const auto found = std::find(kDays.begin(), kDays.end(), word);
  return found == kDays.end() ? std::nullopt
                              : std::optional(static_cast<unsigned>(found - kDays.begin()));
}

/// `09:00` to `24:00`.
std::optional<Duration> time_of_day(std::string_view text) {
  const auto hours = parse_int(text.substr(0, 2)), minutes = parse_int(text.substr(3));
  if (!hours || !minutes || *minutes > 59 || *hours > 24 || (*hours == 24 && *minutes > 0)) {
    return std::nullopt;
  }
  return std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
}

/// `calendars/fr_holidays.csv` is called `fr_holidays`.
std::string_view stem(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  path = slash == std::string_view::npos ? path : path.substr(slash + 1);
  return path.substr(0, path.rfind('.'));
}

}  // namespace

void Checker::calendar(NodeRef node, Calendar& out) {
  out.name = node.token(1).text();
  out.place = place(node);
  std::vector<TokenRef> times, texts;
  std::optional<unsigned> last;
  bool range = false, told = false;
  const std::vector<TokenRef> tokens = node.tokens();
  for (std::size_t i = 3; i < tokens.size(); ++i) {
    const TokenRef& token = tokens[i];
    if (token.kind() == TokenKind::TimeOfDay) {
      times.push_back(token);
    } else if (token.kind() == TokenKind::String) {
      texts.push_back(token);
    } else if (token.kind() == TokenKind::Minus) {
      range = times.empty();
    } else if (token.kind() == TokenKind::Word && token.text() != "except") {
      const auto day = day_of(token.text());
      if (!day && !told) {
        error(token, "B0660", fmt::format("'{}' is no day", token.text()),
              did_you_mean(token.text(), kDays, join_or(kDays)));
        told = true;
      }
      if (day && !texts.empty() && !told) {
        error(token, "B0665", "a calendar has one line of days and hours",
              "declare a second calendar");
        told = true;
      }
      for (unsigned d = range && last && day ? *last : day.value_or(7); d < 7 && day;
           d = (d + 1) % 7) {  // fri-mon goes over the end of the week
        out.days = static_cast<std::uint8_t>(out.days | (1U << d));
        if (d == *day) {
          break;
        }
      }
      last = day;
      range = false;
    }
  }
  if (node.broken() || told || times.size() != 2 || texts.empty()) {
    return;  // told
  }
  calendar_hours(out, times[0], times[1]);
  out.zone = unquote(texts[0].text());
  if (!known_zone(out.zone)) {
    error(texts[0], "B0661", fmt::format("no time zone is called '{}'", printable(out.zone, 60)),
          near_zone(out.zone));
  }
  for (std::size_t i = 1; i < texts.size(); ++i) {
    dates_off(out, texts[i]);
  }
  std::sort(out.days_off.begin(), out.days_off.end());
  out.days_off.erase(std::unique(out.days_off.begin(), out.days_off.end()), out.days_off.end());
}

void Checker::calendar_hours(Calendar& out, TokenRef from, TokenRef to) {
  const auto begin = time_of_day(from.text()), end = time_of_day(to.text());
  if (!begin || !end) {
    error(begin ? to : from, "B0660",
          fmt::format("'{}' is no time of day", (begin ? to : from).text()), "00:00 to 24:00");
    return;
  }
  if (*end <= *begin) {
    error(to, "B0660", fmt::format("'{}' is not after '{}'", to.text(), from.text()),
          "hours over midnight are two calendars");
    return;
  }
  out.from = *begin;
  out.to = *end;
}

/// A list is a file `calendars/NAME.csv` or `.txt`: one date per line, what follows it is a remark.
void Checker::dates_off(Calendar& out, TokenRef name) {
  const std::string wanted = unquote(name.text());
  out.except.push_back(wanted);
  std::vector<std::string_view> near;
  for (Index f = 0; f < files_.size(); ++f) {
    if (is_list(files_[f].path)) {
      near.push_back(stem(files_[f].path));
      if (near.back() == wanted) {
        read_dates(out, f);
        return;
      }
    }
  }
  report_.warning(name.mark(), "B0662",
                  fmt::format("no list of dates is called '{}': its days count as any other",
                              printable(wanted, 60)),
                  did_you_mean(wanted, near,
                               fmt::format("beside the rules: calendars/{}.csv, a date per line",
                                           printable(wanted, 60))));
}

void Checker::read_dates(Calendar& out, Index file) {
  const std::string_view text = files_[file].text;
  std::size_t begin = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  for (bool first = true; begin < text.size(); first = false) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = trim(text.substr(begin, end - begin));
    const std::string_view date = line.substr(0, std::min<std::size_t>(line.size(), 10));
    const auto day = day_number(date);
    const bool header = first && !line.empty() && (line[0] < '0' || line[0] > '9');
    if (day && (line.size() == 10 ||
                std::string_view(" ,;\t#").find(line[10]) != std::string_view::npos)) {
      out.days_off.push_back(*day);
    } else if (!line.empty() && line[0] != '#' && !header) {
      report_.error({file, static_cast<std::uint32_t>(begin), 1}, "B0663",
                    fmt::format("expected a date, found '{}'", printable(line, 40)),
                    "YYYY-MM-DD, then anything");
      return;
    }
    if (out.days_off.size() > kDatesMax) {
      report_.error({file, 0, 1}, "B0663", fmt::format("more than {} dates", kDatesMax));
      return;
    }
    begin = end + 1;
  }
}

std::optional<Index> Checker::find_calendar(TokenRef word) {
  const auto found = word ? calendars_.find(word.text()) : calendars_.end();
  if (found != calendars_.end()) {
    return found->second;
  }
  if (word && report_.first_time("calendar", word.text())) {
    error(word, "B0664", fmt::format("no calendar is called '{}'", word.text()),
          did_you_mean(word.text(), names_of(calendars_),
                       "declare it: calendar NAME { mon-fri 09:00-18:00 \"Europe/Paris\" }"));
  }
  return std::nullopt;
}

/// `TIME during CALENDAR`
const Expr* Checker::during(NodeRef node, const Scope& scope) {
  Ty time;
  time.type = Type::Time;
  const Expr* at = expr(node.child(std::size_t{0}), scope, time);
  const NodeRef named = node.child(1);
  if (!named.is(NodeKind::Name)) {
    if (!node.broken()) {
      error(named, "B0664", "expected the name of a calendar", "TIME during CALENDAR");
    }
    return nullptr;
  }
  const auto calendar = find_calendar(named.token(std::size_t{0}));
  if (at == nullptr || !calendar) {
    return nullptr;
  }
  Ty boolean;
  boolean.type = Type::Bool;
  Expr* out = make(ExprKind::During, boolean, node);
  out->index = *calendar;
  out->args = {at};
  return out;
}

}  // namespace belfry::rules
