#include "chain_rule.hpp"

#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <array>

#include "ebtables_mark.hpp"
#include "plumbline/firewall/model/chain.hpp"

namespace plumbline {

namespace {

constexpr std::string_view comment_mark_rule = "-m comment --comment plumbline";
const std::string mark_prefix = std::string(mark_comment) + ": ";

bool is_mark(std::string_view comment) {
  return comment == mark_comment || comment.starts_with(mark_prefix);
}

/// The user's comment as a key of its own. A quote or a backslash at the end would be safe with us,
/// but not with everybody who copies the saved rule into a script.
std::string comment_refusal(std::string_view comment) {
  if (auto problem = firewall::byte_refusal(comment); !problem.empty()) return problem;
  if (comment.find('"') != std::string_view::npos) return "a comment may not hold a double quote";
  if (comment.ends_with('\\')) return "a comment may not end with a backslash";
  return {};
}

std::optional<firewall::Words> words_from(const wire::Entry& entry) {
  const auto text = entry.string();
  if (!text) return std::nullopt;
  if (const auto problem = firewall::text_refusal(*text); !problem.empty()) {
    entry.error(Code::invalid_iptables_rule, problem);
    return std::nullopt;
  }
  return firewall::split_words(*text);
}

void append(firewall::Words& words, const firewall::Words& more) {
  words.insert(words.end(), more.begin(), more.end());
}

bool add_target(const wire::Entry& entry, firewall::Words& words) {
  const auto target = words_from(entry);
  if (!target) return false;
  if (target->empty() || target->front().empty() || target->front().front() == '-') {
    entry.error(Code::invalid_iptables_rule,
                "a target is a name and its options, such as 'DNAT --to-destination 10.0.0.1'");
    return false;
  }
  words.emplace_back("-j");
  append(words, *target);
  return true;
}

bool add_comment(const wire::Entry& entry, firewall::Words& words) {
  const auto comment = entry.string();
  if (!comment) return false;
  std::string problem = comment_refusal(*comment);
  if (problem.empty() && !firewall::comments_of(words).empty()) problem = "a second comment";
  if (!problem.empty()) {
    entry.error(Code::invalid_iptables_rule, problem);
    return false;
  }
  if (!comment->empty()) append(words, {"-m", "comment", "--comment", *comment});
  return true;
}

std::optional<firewall::Words> words_of_object(const wire::Entry& entry, Family family) {
  entry.only({"match", "target", "comment"});
  if (const auto comment = entry.find("comment"); comment && family == Family::bridge) {
    comment->error(Code::invalid_iptables_rule, "ebtables has no comments");
    return std::nullopt;
  }
  if (!entry.has("match") && !entry.has("target") && !entry.has("comment")) {
    entry.error(Code::missing_key, "a rule needs a match, a target or a comment");
    return std::nullopt;
  }
  firewall::Words words;
  bool good = true;
  if (const auto match = entry.find("match")) {
    const auto found = words_from(*match);
    if (found) append(words, *found);
    good = found.has_value();
  }
  // The comment before the target, as in what iptables saves.
  const auto target = entry.find("target");
  if (const auto comment = entry.find("comment")) good = add_comment(*comment, words) && good;
  if (target) good = add_target(*target, words) && good;
  return good ? std::optional(words) : std::nullopt;
}

/// That our mark has no room beside what the rule says.
std::string room_refusal(const firewall::Words& words, Family family, std::string_view shared) {
  if (family == Family::bridge && !shared.empty() &&
      !carries_ebtables_mark(with_ebtables_mark(firewall::join_words(words), shared))) {
    return "in a chain that others share, two matches or '--mark' leave no room for our mark "
           "beside the interface: put the rule into a chain of its own and jump there";
  }
  const std::size_t most = firewall::max_comment - (shared.empty() ? 0 : mark_prefix.size());
  for (const std::string& comment : firewall::comments_of(words)) {
    if (comment.size() > most && !is_mark(comment)) {
      return "the comment is " + std::to_string(comment.size()) + " bytes long, the most is " +
             std::to_string(most) + (shared.empty() ? "" : " besides our mark");
    }
  }
  return {};
}

/// The option that holds the comment with our mark, or any comment when `any`.
std::optional<firewall::RuleOption> find_comment(const firewall::Words& words, bool any) {
  for (const firewall::RuleOption& option : firewall::options_of(words)) {
    if (option.name == "comment" && option.argument && (any || is_mark(*option.argument))) {
      return option;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view mark_rule(Family family) {
  return family == Family::bridge ? ebtables_mark_rule : comment_mark_rule;
}

std::optional<std::string> rule_from_spec(const wire::Entry& entry, Family family,
                                          std::string_view shared) {
  const wire::Node& node = entry.node();
  if (!node.get<std::string>() && !node.get<wire::Object>()) {
    entry.error(Code::wrong_type, "expected a rule: a text, or an object");
    return std::nullopt;
  }
  auto words = node.get<std::string>() ? words_from(entry) : words_of_object(entry, family);
  if (!words) return std::nullopt;
  *words = firewall::separated(*words, family);
  std::string problem = firewall::refusal(*words, family);
  if (problem.empty()) problem = room_refusal(*words, family, shared);
  std::string rule = firewall::join_words(*words);
  if (problem.empty()) problem = firewall::text_refusal(rule);
  if (!problem.empty()) {
    entry.error(Code::invalid_iptables_rule, problem);
    return std::nullopt;
  }
  return rule;
}

RuleList rules_from_spec(const wire::Entry& entry, std::string_view member, Family family,
                         std::string_view shared) {
  RuleList::Rules rules;
  if (const auto array = entry.find(member)) {
    array->for_each_element([&](const wire::Entry& element) {
      if (auto rule = rule_from_spec(element, family, shared)) rules.push_back(std::move(*rule));
    });
  }
  return rules;
}

bool carries_our_mark(std::string_view rule) {
  if (carries_ebtables_mark(rule)) return true;
  if (rule.find(mark_comment) == std::string_view::npos) return false;
  const auto words = firewall::split_words(rule);
  return words && find_comment(*words, false).has_value();
}

bool carries_our_mark(const firewall::RuleCode& code) {
  return code.userdata == chain_claim() ||
         std::ranges::any_of(firewall::comments_of(code), is_mark) || carries_ebtables_mark(code);
}

bool is_mark_rule(std::string_view rule) {
  return rule == mark_rule(Family::inet) || rule == mark_rule(Family::bridge);
}

bool is_mark_rule(const firewall::RuleCode& code) {
  bool bare = true;
  std::size_t matches = 0;
  wire::for_each_attribute(code.expressions, [&](const wire::Attribute& expression) {
    wire::for_each_attribute(expression.payload(), [&](const wire::Attribute& part) {
      if (part.type() != NFTA_EXPR_NAME) return;
      bare = bare && (part.string() == "match" || part.string() == "counter");
      if (part.string() == "match") ++matches;
    });
  });
  if (!bare || matches > 1) return false;
  const auto comments = firewall::comments_of(code);
  return has_ebtables_mark_match(code) ||
         (comments.size() == 1 && comments.front() == mark_comment);
}

std::vector<std::string> targets_of(std::string_view rule) {
  const auto words = firewall::split_words(rule);
  return words ? firewall::jumps_of(*words) : std::vector<std::string>();
}

std::vector<std::string> sets_of(std::string_view rule) {
  constexpr std::array<std::string_view, 4> options{"--match-set", "--add-set", "--del-set",
                                                    "--map-set"};
  std::vector<std::string> sets;
  if (rule.find("-set") == std::string_view::npos) return sets;
  const auto words = firewall::split_words(rule);
  for (std::size_t i = 0; words && i + 1 < words->size(); ++i) {
    if (std::ranges::find(options, (*words)[i]) != options.end()) sets.push_back((*words)[i + 1]);
  }
  return sets;
}

std::string with_our_mark(const std::string& rule, Family family, std::string_view chain) {
  if (family == Family::bridge) return with_ebtables_mark(rule, chain);
  auto words = firewall::split_words(rule);
  if (!words || find_comment(*words, false)) return rule;
  if (const auto option = find_comment(*words, true)) {
    std::string& comment = words->at(option->word + 1);
    comment = comment.empty() ? std::string(mark_comment) : mark_prefix + comment;
  } else {
    append(*words, {"-m", "comment", "--comment", std::string(mark_comment)});
  }
  return firewall::join_words(*words);
}

std::string without_our_mark(const std::string& rule, Family family) {
  if (family == Family::bridge) return without_ebtables_mark(rule);
  auto words = firewall::split_words(rule);
  if (!words) return rule;
  const auto option = find_comment(*words, false);
  if (!option) return rule;
  const std::size_t at = option->word;
  if (*option->argument != mark_comment) {
    words->at(at + 1).erase(0, mark_prefix.size());
  } else if (at >= 2 && words->at(at - 2) == "-m" && words->at(at - 1) == "comment") {
    const auto first = words->begin() + static_cast<std::ptrdiff_t>(at) - 2;
    words->erase(first, first + 4);
  }
  return firewall::join_words(*words);
}

}  // namespace plumbline
