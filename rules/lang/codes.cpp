// What `belfry help B0123` prints: why this is an error and what to do, for someone who has never
// seen it.
#include <algorithm>
#include <array>

#include "belfry/rules/compile.hpp"

namespace belfry::rules {

namespace {

struct Entry {
  std::string_view code, text;
};

constexpr std::array kEntries{
    Entry{"B0001",
          "A rule file is at most 16 MiB. Split it: all files of the folder are one rule set, in "
          "any order."},
    Entry{"B0002",
          "Brackets, 'not' or operators are nested too deep to be read by anybody. Name the parts: "
          "a derived signal "
          "(signal x(key) { raise when ... }) stands for a pattern."},
    Entry{"B0003",
          "The reader gave up on this file: it asks for far more steps than any correct file of "
          "its length. Look for a "
          "binary or generated file among the rules."},
    Entry{
        "B0004",
        "fmt reads what it wrote and compares; here it differs. A name is also the first word of "
        "a clause or a declaration (an enum word 'limit', a field 'open') and would begin a line, "
        "where it is read as that clause. Choose another name; the file was left as it is."},
    Entry{"B0010",
          "This character has no meaning in Bell. Strings stand in double quotes, comments begin "
          "with '#', and conditions "
          "are joined by the words and, or, not. There is no ';'."},
    Entry{"B0011",
          "A string ends in the line in which it began. A quote inside it is written \\\"."},
    Entry{"B0012",
          "A number is followed by letters that are no unit. Units are ms s m h d w, durations are "
          "whole numbers and can be "
          "joined: 1h30m."},
    Entry{"B0100",
          "Something else was expected here. The message names what; the grammar of the clause is "
          "in the language reference."},
    Entry{"B0101",
          "An aggregate (count, flaps, distinct, share, rate, avg, min, max, sum, eta) is a "
          "number; a "
          "pattern is true or "
          "false. So it is always "
          "compared: count(if_down) >= 5 within 10m."},
    Entry{"B0102",
          "Every wait has a bound: 'a then b within 30s'. Without it the engine would keep state "
          "for every a for ever."},
    Entry{"B0103",
          "A block was opened by '{' and not closed before the next declaration or the end of the "
          "file."},
    Entry{"B0104",
          "A file is a list of declarations: use event enum table relation graph calendar defaults "
          "measure signal rule cause "
          "maintenance policy escalation test."},
    Entry{"B0105",
          "This word begins no clause of the block it stands in. The help names the near or the "
          "possible ones."},
    Entry{"B0106", "'a < b < c' would compare a truth with a number. Write a < b and b < c."},
    Entry{"B0107",
          "'=' gives a name to a value ('with peer = var.x', 'by pool = node.pool'). A comparison "
          "is written '=='."},
    Entry{"B0200",
          "A pattern names signals, rules, or event types. Nothing declared in any of the files "
          "has this name. Causes are "
          "between rules: an incident explains an incident."},
    Entry{"B0201",
          "Types are bool int float string text duration time ip cidr oid mac severity, set<T>, "
          "T?, every enum and every "
          "table."},
    Entry{"B0202",
          "The name means nothing where it stands. A rule's 'where' and its open block know the "
          "parts of the key and what "
          "the pattern measured (count distinct share flaps value rate eta first last silence "
          "affected symptoms "
          "customers); a raise "
          "line knows the fields of its event and its holes; a cause knows the variables of its "
          "two sides."},
    Entry{"B0203",
          "The table has no column of this name, and no relation of this name begins at it."},
    Entry{"B0204",
          "An event type is declared by 'event NAME { FIELD: TYPE }', once, in the prelude."},
    Entry{"B0205", "The event type has no field of this name."},
    Entry{"B0206",
          "No table or relation of this name is declared. Rows are looked up by TABLE[KEY], "
          "relations asked by x.NAME(y)."},
    Entry{"B0207",
          "The name is not among the well-known MIB names. Any OID can be written as a number: "
          "raise trap 1.3.6.1.4.1.9..., "
          "var[1.3.6.1...]; var[1] is the first varbind."},
    Entry{"B0208",
          "'escalate' names an escalation that one of the files declares: escalation NAME { after "
          "0m notify \"desk\" }."},
    Entry{"B0209", "Only policies, signals, rules, 'unknown', 'max' and 'min' can be called."},
    Entry{"B0210",
          "Two declarations have one name; which one is meant would depend on the order of files."},
    Entry{"B0211", "The word is not one of the enum that is expected here."},
    Entry{"B0212",
          "All files of the folder are read anyway; 'use' says which one this file needs. That one "
          "is not among them."},
    Entry{"B0213",
          "The fields of an incident are fixed, so that a misspelt severity is found by check and "
          "not at night."},
    Entry{"B0214",
          "This word has a meaning in patterns; a signal of that name could never be named."},
    Entry{"B0215",
          "severity is X.733's scale and the same everywhere: cleared indeterminate warning minor "
          "major critical."},
    Entry{"B0216",
          "A key, a column or a side of a relation is one value; sets are for columns "
          "(set<string>), open maps for events."},
    Entry{"B0217", "Fields of the open block may read each other, but not in a circle."},
    Entry{"B0218",
          "raise and clear lines are matched at the door, by many threads, without any state. Ask "
          "for the state of a signal "
          "in a rule."},
    Entry{"B0219",
          "The name of a signal in an expression is true while it is active for this key. Its "
          "parameters are taken by name "
          "from what is known here; give them: host_down(node)."},
    Entry{"B0220",
          "Only traps carry varbinds; in the event declaration their field is 'var: varbinds'."},
    Entry{"B0221", "The name in front of ':' or '=' must be one of the parameters."},
    Entry{"B0222", "A derived signal has one pattern; alternatives are joined by 'or'."},
    Entry{"B0300",
          "The value has another type than the place it stands in. Only int becomes float, and "
          "texts become addresses, OIDs, "
          "times and rows when they are written as constants. \"{x}\" makes a text of anything."},
    Entry{"B0301", "The number of arguments is not that of the declaration, which the help shows."},
    Entry{"B0302", "A number (or a duration) is needed here."},
    Entry{"B0303",
          "The text cannot be read as what is expected here; it is checked when rules compile, not "
          "when the event comes."},
    Entry{"B0304",
          "Only values of one type are compared (int with float too). A row is compared with the "
          "text of its key, or by a "
          "column: node.name."},
    Entry{"B0305", "where, if and the parts of and/or/not are true or false."},
    Entry{"B0306",
          "What is missing equals nothing, not even 'none'. Ask 'x is none', 'x is some', or give "
          "a default: x ?? 5."},
    Entry{"B0400",
          "Every parameter of a signal is bound in every raise and clear line: by a hole {name} in "
          "the text, by 'with name = "
          "...', or by a field of the event with that name. Only 'clear all' may leave some open."},
    Entry{"B0401",
          "A hole takes a piece of the text: {name}, or {_} to skip it. Each name stands once."},
    Entry{"B0402",
          "Between two holes there must be fixed text, otherwise nothing says where the first one "
          "ends."},
    Entry{"B0403", "A text has at most 16 named holes."},
    Entry{"B0404",
          "The literal behind the event type is matched against the field marked 'head' in its "
          "declaration: a text against a "
          "text, a trap name or OID against an oid."},
    Entry{
        "B0405",
        "A regular expression behind an event type is written /.../ and read by RE2: classes, "
        "groups, alternatives and repeats, but no look-around and no back references, so that "
        "every text is read once. Named groups (?P<name>...) bind parameters as holes do. A slash "
        "in it is written \\/."},
    Entry{"B0500",
          "Each part of the key comes from a signal of the pattern: a parameter, an expression "
          "over its parameters, or the far "
          "side of a relation named in an aggregate."},
    Entry{"B0501",
          "With several signals in one pattern each must say for which key it counts; this one "
          "says nothing about a part of the "
          "key. Leave the part out of 'by', or use a signal that has it."},
    Entry{
        "B0502",
        "A part of the key is a name, NAME = EXPRESSION, or a column (its name is the column's)."},
    Entry{"B0503", "An incident is about one thing per part of its key, so a set cannot be one."},
    Entry{"B0504",
          "share(s(x), x.relation(k)) >= 60% by k: of all x that the inventory relates to k, how "
          "many are active. The relation "
          "gives the whole, so exactly one is needed."},
    Entry{"B0505", "A rule is 'when PATTERN by KEY' and an open block."},
    Entry{"B0506",
          "count and flaps count events, avg to eta look at samples in a sliding window: 'within "
          "10m'. The window also bounds the memory."},
    Entry{"B0507",
          "count, flaps and share take a signal or a rule; distinct(signal.parameter) counts "
          "different values."},
    Entry{"B0508", "Each clause stands once; the second one would silently win."},
    Entry{"B0510",
          "An incident lives while its pattern holds. A pattern that ends in an event never holds, "
          "so the rule says when the "
          "incident ends: clear after 5m, clear quiet 30m, clear manual."},
    Entry{"B0511",
          "'was OLD' hands the open incidents of a renamed rule over to this one; the old name "
          "must be free."},
    Entry{"B0520",
          "A measure is a number per event: the field 'value' of a probe, or 'with value = var.x' "
          "for "
          "others."},
    Entry{"B0521",
          "A measure is a number, a signal is up or down. avg, min, max, sum and eta work on "
          "measures; "
          "count and missing on both, rate on signals and measures. To make a signal of a measure: "
          "raise disk where value >= 95%."},
    Entry{
        "B0522",
        "rate and eta look at how one thing changes. Samples of several things mixed would jump "
        "between them, so every parameter of the measure is in the key (or fixed by an argument)."},
    Entry{"B0523",
          "A percentage is compared with a measure in percent (95% is 95) or a ratio (0.95), a "
          "duration with one in seconds. Other measures are compared with plain numbers in their "
          "unit."},
    Entry{"B0524", "Units are percent bytes bits_per_second celsius seconds ratio count."},
    Entry{"B0525",
          "eta(m, NUMBER) is the time until the line through the samples reaches NUMBER: eta(disk, "
          "100%) < 4h within 6h."},
    Entry{"B0600",
          "Causes form a hierarchy: fibre cut -> interface down -> session down. In a circle "
          "nothing would be the cause. Only a graph can order a circle of rules by itself: each "
          "step's where says y.cut_off(x) or GRAPH.frontier(x) of the cause x, all of one graph."},
    Entry{"B0601",
          "A rule may explain incidents of its own kind only along a transitive relation between "
          "the two, which cannot go in a "
          "circle: cause unreachable(up) of unreachable(node) where node.behind(up)."},
    Entry{"B0602",
          "Equal names on both sides of a cause mean equal values, so they have one type and stand "
          "once on each side."},
    Entry{"B0603", "any(NAME: TABLE) stands for every rule with a part of that type in its key."},
    Entry{"B0604", "'any' found no rule; the line does nothing."},
    Entry{"B0610",
          "What a signal or rule depends on is computed before it, so nothing can depend on "
          "itself. The help shows the circle."},
    Entry{"B0611", "Rules name rules that are declared later, more than 200 in a chain."},
    Entry{"B0620",
          "A maintenance says when, by 'each w in TABLE' or by 'from TIME to TIME \"ZONE\"', and "
          "what: 'covers RULE(key)' or 'covers any(node: device)'."},
    Entry{"B0621",
          "Each row of the table is a window: its columns 'start' and 'end', of type time, say "
          "when."},
    Entry{"B0622",
          "A window's times belong to a zone. With the zone behind them they are local times "
          "there; else each ends in Z or in its offset. Without one the machine would guess, and "
          "be wrong for half of the year."},
    Entry{"B0624", "A window that ends before it begins covers nothing."},
    Entry{"B0625",
          "Whether a window covers an incident must have the same answer whenever the window "
          "became known, so it asks the key, the row and the inventory, never what is down now."},
    Entry{"B0650",
          "The first matching line of a policy gives its answer; 'else VALUE' at the end makes "
          "sure that there is one."},
    Entry{"B0651",
          "A step is left out 'unless acked' (somebody took the ticket) or 'unless mitigated'."},
    Entry{"B0652",
          "A policy may ask policies that are declared before it; so none can ask itself, directly "
          "or through others."},
    Entry{"B0660",
          "A calendar is DAYS FROM-TO ZONE: mon-fri 09:00-18:00 \"Europe/Paris\". Days are mon tue "
          "wed "
          "thu fri sat sun, singly, as ranges, joined by commas; times are 00:00 to 24:00 on one "
          "day."},
    Entry{
        "B0661",
        "Zones are names of the IANA database that the system's tzdata knows, so that summer time "
        "is kept: \"Europe/Paris\", not \"CET\" by offset."},
    Entry{"B0662",
          "Warning. 'except NAME' takes the days of a list out of the calendar. Lists are files "
          "calendars/NAME.csv or .txt beside the rule files: one date per line (2026-07-14), the "
          "rest "
          "of the line is a remark. Without the list these days count as any other."},
    Entry{"B0663",
          "A list of dates has a date per line: YYYY-MM-DD, then anything. '#' begins a "
          "comment, a first line of titles is skipped."},
    Entry{"B0664",
          "'TIME during CALENDAR' and an escalation's 'during CALENDAR' name a declared calendar."},
    Entry{
        "B0665",
        "A calendar is one row of days and hours. Two shifts are two calendars, asked with 'or'."},
    Entry{"B0680",
          "A graph names its parts, each once: graph backbone { nodes device  edges link (a, b)  "
          "roots device where role == \"vantage\"  down link_down(l), host_down(n) }."},
    Entry{"B0681",
          "Nodes and edges of a graph are rows of two tables. The edges' table has two columns "
          "that name rows of the nodes' table; the roots are nodes, chosen by a condition over "
          "their columns."},
    Entry{"B0682",
          "'down' names declared signals with one parameter that is a node or an edge of the "
          "graph: while such a key is up, that node or edge is out. Never rules: the graph is "
          "computed before the rules that ask it."},
    Entry{"B0683",
          "What is down changes all the time, so graphs are asked only where their changes are "
          "followed: in a rule's where, its open block, and a cause's where."},
    Entry{"B0684",
          "A graph is asked as GRAPH.frontier(x), x.behind(y), x.cut_off(y), x.neighbour(y) and "
          "x.edges(e), of rows of its nodes' and edges' tables. Where several graphs have both, "
          "name the one: GRAPH.cut_off(x, y)."},
    Entry{"B0700", "Tests are data: constants, not expressions."},
    Entry{"B0701",
          "given TABLE { COLUMN: VALUE, ... } adds a row, given RELATION { LEFT: RIGHT, ... } adds "
          "pairs."},
    Entry{"B0702", "expect N open|closed|planned|symptom counts incidents in that state."},
    Entry{"B0801",
          "Warning. The signal goes up and nothing ever takes it down, so its incident stays open "
          "until somebody closes it. Add "
          "the clear line of the other message, or 'expire 24h'."},
    Entry{"B0802",
          "Warning. Messages are found by a fixed piece of the text or of the regular expression. "
          "Below four bytes "
          "nearly every message is a "
          "candidate and has to be tried."},
    Entry{"B0803", "Warning. Two raise lines match the same event."},
    Entry{"B0804",
          "Warning. The first matching line of a policy wins; the earlier lines take all that this "
          "one would. Policies over enums and bools are tried with every combination."},
    Entry{"B0805",
          "Warning. A rule without a test is a promise that nobody checked. Tests are timelines "
          "beside the rule."},
    Entry{"B0806",
          "Warning. For each symptom all incidents of the cause are looked at, because no "
          "variable, column or relation leads "
          "from one to the other."},
    Entry{"B0807", "Warning. An escalation without steps tells nobody."},
    Entry{"B0808",
          "Warning. 'missing' expects every row of the inventory that the rule's where lets "
          "through, also rows that nobody ever monitored. Say which ones."},
    Entry{"B0809",
          "Warning. Summer time skips or repeats this hour. A window that begins in a repeated "
          "hour begins with the first, one that ends there ends with the second; a skipped time "
          "is the instant of the jump."},
    Entry{
        "B0810",
        "Warning. A part of the rule's key is whatever stands at that place of a message. A "
        "sender that puts a number or a time there makes a new key with every message. 'limit "
        "10000' in the rule, or in 'defaults', bounds how many are kept; what is over becomes one "
        "incident that says so."},
    Entry{"B0811",
          "Warning. 'runbook' names a file that is not there: not beside the rule file, nor in the "
          "folders above it that were given. Whoever is on call would find nothing."},
    Entry{"B0812",
          "Warning. The rule opens sooner than the next probe of its cause can come: 'settle' is "
          "shorter than the interval at which the cause is probed, so the symptom pages first and "
          "is explained later. Make 'settle' (or 'for') at least that interval, or probe more "
          "often."},
    Entry{"B0813",
          "Warning. Severity and priority put an incident in its place in every queue. 'X if COND' "
          "without 'else' gives none when the condition is false, and the incident stands behind "
          "all others. Say what it is otherwise: priority P1 if COND else P3."},
    Entry{"B0905",
          "'usual' is the baseline of this hour of the week. Baselines come in a later version; "
          "until "
          "then compare with a number, or with a column: max(200, 4 * node.site.calls)."},
    Entry{"B0999",
          "The compiler lost a part of a rule without an error: a bug of Belfry, not of the rule."},
};

}  // namespace

std::string_view explain_code(std::string_view code) {
  const auto found = std::find_if(kEntries.begin(), kEntries.end(),
                                  [&](const Entry& e) { return e.code == code; });
  return found == kEntries.end() ? std::string_view{} : found->text;
}

}  // namespace belfry::rules
