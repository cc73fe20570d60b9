#include "regex.hpp"

#include <algorithm>
#include <array>

#include "belfry/base/check.hpp"
#include "limits.hpp"

namespace belfry::rules {
namespace {

RE2::Options options() {
  RE2::Options out(RE2::Latin1);  // bytes: a message may hold any of them
  out.set_log_errors(false);
  out.set_max_mem(kRegexMemoryMax);
  return out;
}

/// Pieces of which a text must hold some; none: any text may match.
std::vector<std::string> atoms_of(const std::string& pattern) {
  re2::FilteredRE2 one(static_cast<int>(kAnchorBytesMin));
  int id = 0;
  std::vector<std::string> atoms;
  if (one.Add(pattern, options(), &id) == RE2::NoError) {
    one.Compile(&atoms);
  }
  return atoms;
}

}  // namespace

std::string regex_of(std::string_view written) {
  std::string out;
  bool in_class = false;
  for (std::size_t i = 0; i < written.size(); ++i) {
    const char c = written[i];
    if (c == '\\' && i + 1 < written.size()) {
      if (written[i + 1] != '/') {  // `\/` is how a slash is written
        out += c;
      }
      out += written[++i];
      continue;
    }
    in_class = c == '[' ? true : c == ']' ? false : in_class;
    out += c;
    if (!in_class && c == '(' && written.substr(i + 1).starts_with("?<") &&
        !written.substr(i + 3).starts_with('=') && !written.substr(i + 3).starts_with('!')) {
      out += "?P<";
      i += 2;
    }
  }
  return out;
}

RegexFacts regex_facts(const std::string& pattern) {
  RegexFacts facts;
  if (pattern.size() > kRegexBytesMax) {
    facts.error = "it is longer than " + std::to_string(kRegexBytesMax) + " bytes";
    return facts;
  }
  const RE2 re(pattern, options());
  if (!re.ok()) {
    facts.error = re.error();
    return facts;
  }
  if (re.NumberOfCapturingGroups() > kRegexGroupsMax) {
    facts.error = "it has more than " + std::to_string(kRegexGroupsMax) + " groups";
    return facts;
  }
  for (const auto& [number, name] : re.CapturingGroupNames()) {
    facts.groups.push_back(name);
  }
  facts.anchored = !atoms_of(pattern).empty();
  return facts;
}

Regex::Regex(const std::string& pattern) : re_(pattern, options()) {
  BELFRY_CHECK(re_.ok());
  for (const auto& [number, name] : re_.CapturingGroupNames()) {
    named_.push_back(number);
  }
}

bool Regex::match(std::string_view text, Slices& slices) const {
  std::array<re2::StringPiece, kRegexGroupsMax + 1> groups;
  const int count = named_.empty() ? 0 : named_.back() + 1;
  if (!re_.Match(re2::StringPiece(text.data(), text.size()), 0, text.size(), RE2::UNANCHORED,
                 groups.data(), count)) {
    return false;
  }
  for (std::size_t i = 0; i < named_.size() && i < slices.size(); ++i) {
    const re2::StringPiece& group = groups[static_cast<std::size_t>(named_[i])];
    slices[i] =
        group.data() == nullptr ? std::string_view() : std::string_view(group.data(), group.size());
  }
  return true;
}

void RegexFilter::add(const std::string& pattern, Index group) {
  groups_.push_back({pattern, group});
}

const std::vector<std::string>& RegexFilter::finish() {
  for (const Entry& entry : groups_) {
    if (!atoms_of(entry.pattern).empty()) {
      if (filtered_ == nullptr) {
        filtered_ = std::make_unique<re2::FilteredRE2>(static_cast<int>(kAnchorBytesMin));
      }
      int id = 0;
      BELFRY_CHECK(filtered_->Add(entry.pattern, options(), &id) == RE2::NoError);
      filtered_groups_.push_back(entry.group);
      continue;
    }
    if (set_ == nullptr) {
      RE2::Options shared = options();
      shared.set_max_mem(64 * kRegexMemoryMax);
      set_ = std::make_unique<RE2::Set>(shared, RE2::UNANCHORED);
    }
    BELFRY_CHECK(set_->Add(entry.pattern, nullptr) >= 0);
    set_groups_.push_back(entry.group);
  }
  if (filtered_ != nullptr) {
    filtered_->Compile(&atoms_);
  }
  if (set_ != nullptr && !set_->Compile()) {
    set_.reset();
    try_all_ = true;
  }
  return atoms_;
}

void RegexFilter::give_up_atoms() { try_all_ = true; }

void RegexFilter::candidates(std::string_view text, const std::vector<int>& atoms,
                             std::vector<Index>& to) const {
  if (try_all_) {
    for (const Entry& entry : groups_) {
      to.push_back(entry.group);
    }
    return;
  }
  std::vector<int> found;
  if (!atoms.empty()) {
    filtered_->AllPotentials(atoms, &found);
    for (const int id : found) {
      to.push_back(filtered_groups_[static_cast<std::size_t>(id)]);
    }
  }
  if (set_ == nullptr) {
    return;
  }
  found.clear();
  RE2::Set::ErrorInfo error{};
  if (set_->Match(re2::StringPiece(text.data(), text.size()), &found, &error)) {
    for (const int id : found) {
      to.push_back(set_groups_[static_cast<std::size_t>(id)]);
    }
  } else if (error.kind != RE2::Set::kNoError) {  // its automaton outgrew its memory
    to.insert(to.end(), set_groups_.begin(), set_groups_.end());
  }
}

}  // namespace belfry::rules
