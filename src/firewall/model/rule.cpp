#include "plumbline/firewall/model/rule.hpp"

#include <algorithm>
#include <array>

#include "mark.hpp"
#include "plumbline/base/digest.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline {

namespace {

std::strong_ordering compare(const wire::Bytes& a, const wire::Bytes& b) {
  return std::lexicographical_compare_three_way(a.begin(), a.end(), b.begin(), b.end());
}

std::strong_ordering compare(const firewall::RuleCode& a, const firewall::RuleCode& b) {
  if (const auto order = compare(a.expressions, b.expressions); order != 0) return order;
  if (const auto order = compare(a.userdata, b.userdata); order != 0) return order;
  return std::lexicographical_compare_three_way(a.sets.begin(), a.sets.end(), b.sets.begin(),
                                                b.sets.end());
}

std::size_t hash_of(std::string_view text) { return std::hash<std::string_view>()(text); }

std::size_t hash_of(const wire::Bytes& bytes) {
  return hash_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::vector<std::string> sets_of(const firewall::Words& words) {
  constexpr std::array<std::string_view, 4> options{"--match-set", "--add-set", "--del-set",
                                                    "--map-set"};
  std::vector<std::string> sets;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (std::ranges::find(options, words[i]) != options.end()) sets.push_back(words[i + 1]);
  }
  return sets;
}

// ---- from the spec

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
  auto [words, refusal] = firewall::split_text(*text);
  if (refusal.empty()) return std::move(words);
  entry.error(Code::invalid_iptables_rule, refusal);
  return std::nullopt;
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
  if (problem.empty() && !firewall::comments_of(firewall::options_of(words)).empty())
    problem = "a second comment";
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
  return good ? std::optional(std::move(words)) : std::nullopt;
}

/// That our mark has no room beside what the rule says.
std::string room_refusal(const firewall::Words& words, const firewall::Options& options,
                         Family family, std::string_view shared) {
  if (family == Family::bridge && !shared.empty() &&
      !carries_ebtables_mark(with_ebtables_mark(words, shared))) {
    return "in a chain that others share, two matches or '--mark' leave no room for our mark "
           "beside the interface: put the rule into a chain of its own and jump there";
  }
  const std::size_t most = firewall::max_comment - (shared.empty() ? 0 : mark_comment_size());
  for (const std::string& comment : firewall::comments_of(options)) {
    if (comment.size() > most && !is_mark_comment(comment)) {
      return "the comment is " + std::to_string(comment.size()) + " bytes long, the most is " +
             std::to_string(most) + (shared.empty() ? "" : " besides our mark");
    }
  }
  return {};
}

}  // namespace

FirewallRule::FirewallRule(std::string text) {
  const auto words = firewall::split_words(text);
  content_ = content_of(std::move(text), words);
}

FirewallRule::FirewallRule(firewall::Words words) {
  std::string text = firewall::join_words(words);
  content_ = content_of(std::move(text), std::move(words));
}

std::shared_ptr<const FirewallRule::Content> FirewallRule::content_of(
    std::string text, const std::optional<firewall::Words>& words) {
  const auto content = std::make_shared<Content>();
  content->text = std::move(text);
  content->hash = hash_of(content->text);
  content->digest = Digest().add(content->text).value();
  if (words) {
    const firewall::Options options = firewall::options_of(*words);
    content->targets = firewall::jumps_of(options);
    content->sets = sets_of(*words);
    content->rules_made = firewall::rules_made_of(options);
    content->carries_mark = carries_our_mark(*words, options);
    content->is_mark = content->carries_mark && is_mark_rule(content->text);
  }
  return content;
}

FirewallRule::FirewallRule(std::string text, firewall::RuleCode code) {
  const auto content = std::make_shared<Content>();
  content->text = std::move(text);
  content->targets = firewall::targets_of(code);
  content->chains = firewall::chains_of(code);
  content->sets = code.sets;
  content->carries_mark = carries_our_mark(code);
  content->is_mark = content->carries_mark && is_mark_rule(code);
  content->hash = hash_of(code.expressions) ^ (hash_of(code.userdata) << 1U);
  content->digest = Digest().add(content->text).value();
  content->code = std::move(code);
  content_ = content;
}

std::optional<FirewallRule> FirewallRule::from_spec(const wire::Entry& entry, Family family,
                                                    std::string_view shared) {
  const wire::Node& node = entry.node();
  if (!node.get<std::string>() && !node.get<wire::Object>()) {
    entry.error(Code::wrong_type, "expected a rule: a text, or an object");
    return std::nullopt;
  }
  auto found = node.get<std::string>() ? words_from(entry) : words_of_object(entry, family);
  if (!found) return std::nullopt;
  firewall::Words words = firewall::separated(*std::move(found), family);
  const firewall::Options options = firewall::options_of(words, family);
  std::string problem = firewall::refusal(words, options, family);
  if (problem.empty()) problem = room_refusal(words, options, family, shared);
  if (problem.empty()) problem = firewall::words_refusal(words);
  if (!problem.empty()) {
    entry.error(Code::invalid_iptables_rule, problem);
    return std::nullopt;
  }
  return FirewallRule(std::move(words));
}

RuleList RuleList::from_spec(const wire::Entry& entry, std::string_view member, Family family,
                             std::string_view shared) {
  Rules rules;
  if (const auto array = entry.find(member)) {
    array->for_each_element([&](const wire::Entry& element) {
      if (auto rule = FirewallRule::from_spec(element, family, shared)) {
        rules.push_back(*std::move(rule));
      }
    });
  }
  return rules;
}

bool FirewallRule::leads_to(std::string_view target) const {
  return std::ranges::find(targets(), target) != targets().end();
}

bool FirewallRule::operator==(const FirewallRule& other) const {
  if (content_ == other.content_) return true;
  if (hash() != other.hash()) return false;
  if (code().has_value() != other.code().has_value()) return false;
  return code() ? *code() == *other.code() : text() == other.text();
}

std::strong_ordering FirewallRule::operator<=>(const FirewallRule& other) const {
  if (content_ == other.content_) return std::strong_ordering::equal;
  if (code().has_value() != other.code().has_value()) {
    return code().has_value() <=> other.code().has_value();
  }
  return code() ? compare(*code(), *other.code()) : text() <=> other.text();
}

std::optional<firewall::Words> words_of(const FirewallRule& rule) {
  return firewall::split_words(rule.text());
}

std::string restore_rule(const FirewallRule& rule) {
  constexpr std::string_view breaks("\n\r\0", 3);
  const bool one_line = rule.text().find_first_of(breaks) == std::string::npos;
  const auto words = one_line ? words_of(rule) : std::nullopt;
  if (words) return firewall::quote_words(*words);
  return "--this-rule-has-a-line-break-and-cannot-be-written";
}

}  // namespace plumbline
