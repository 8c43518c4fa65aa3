#include "changes.hpp"

#include <algorithm>
#include <boost/json.hpp>

namespace plumbline::report {

namespace {

namespace json = boost::json;

std::string text_of(const json::value& value) {
  const bool plain = value.is_string() && !value.get_string().empty();
  return plain ? std::string(value.get_string()) : json::serialize(value);
}

/// `{"bridge": {"stp": false}}` as `bridge.stp false`. Lists are one value: what is listed in the
/// spec is compared whole.
void flatten(const json::value& value, const std::string& name,
             std::vector<std::pair<std::string, std::string>>& out) {
  const auto* object = value.if_object();
  if (object == nullptr) {
    out.emplace_back(name, text_of(value));
    return;
  }
  for (const auto& [key, member] : *object) {
    flatten(member, name.empty() ? std::string(key) : name + '.' + std::string(key), out);
  }
}

std::vector<std::pair<std::string, std::string>> members(const std::optional<Resource>& resource) {
  std::vector<std::pair<std::string, std::string>> found;
  if (!resource) return found;
  json::value value = to_spec(*resource);
  if (auto* object = value.if_object()) {
    // Rules are shown one by one, see rule_changes().
    for (const char* rules : {"rules", "insert", "append"}) object->erase(rules);
  }
  flatten(value, "", found);
  // No key of a spec's, but what the guest has by it.
  const auto* link = std::get_if<Link>(&*resource);
  if (link != nullptr && !link->assignment.empty()) {
    found.emplace_back(link->kind == LinkKind::bridge ? "keeps" : "for", link->assignment);
  }
  return found;
}

const std::string* find(const std::vector<std::pair<std::string, std::string>>& list,
                        const std::string& name) {
  const auto it = std::ranges::find(list, name, &std::pair<std::string, std::string>::first);
  return it == list.end() ? nullptr : &it->second;
}

RuleList rules_of(const std::optional<Resource>& resource) {
  if (!resource) return {};
  if (const auto* chain = std::get_if<Chain>(&*resource)) return chain->rules;
  const auto* shared = std::get_if<SharedChain>(&*resource);
  if (shared == nullptr) return {};
  return shared->insert.followed_by(shared->strays).followed_by(shared->append);
}

bool in_another_place(const Resource& before, const Resource& after) {
  const auto* had = std::get_if<SharedChain>(&before);
  const auto* has = std::get_if<SharedChain>(&after);
  if (had == nullptr || has == nullptr) return false;
  return had->insert != has->insert || had->strays != has->strays || had->append != has->append;
}

std::string words(const FirewallRule& rule) {
  return rule.text().empty() ? "(a rule that iptables does not print)" : rule.text();
}

}  // namespace

std::vector<Mention> changes(const std::optional<Resource>& before,
                             const std::optional<Resource>& after) {
  const auto had = members(before);
  const auto has = members(after);
  std::vector<Mention> mentions;
  for (const auto& [name, value] : has) {
    const std::string* earlier = find(had, name);
    if (earlier != nullptr && *earlier == value) continue;
    mentions.push_back({name, earlier == nullptr ? "" : *earlier, value});
  }
  if (!after) return mentions;
  for (const auto& [name, value] : had) {
    if (find(has, name) == nullptr) mentions.push_back({name, value, ""});
  }
  return mentions;
}

std::vector<Mention> mark_changes(const std::optional<Resource>& before,
                                  const std::optional<Resource>& after) {
  const auto protocol = [](const std::optional<Resource>& resource) {
    const auto of = [](const auto& value) -> std::string {
      if constexpr (requires { value.protocol; }) return std::to_string(value.protocol);
      return {};
    };
    return resource ? std::visit(of, *resource) : std::string();
  };
  const Mention mention{"protocol", protocol(before), protocol(after)};
  if (mention.from == mention.to) return {};
  return {mention};
}

std::vector<std::string> rule_changes(const std::optional<Resource>& before,
                                      const std::optional<Resource>& after) {
  const RuleList had = rules_of(before);
  const RuleList has = rules_of(after);
  // Chains of ours come and go with their mark, which nobody wrote.
  const bool whole = !before || !after;
  std::vector<std::string> lines;
  const auto list = [&](const char* sign, const RuleList& rules, const RuleList& others) {
    FirewallRuleMap<std::size_t> left;
    for (const FirewallRule& rule : others) ++left[rule];
    for (const FirewallRule& rule : rules) {
      const auto same = left.find(rule);
      if (same != left.end() && same->second > 0) {
        --same->second;
      } else if (!(whole && rule.is_mark())) {
        lines.push_back(sign + words(rule));
      }
    }
  };
  list("- ", had, has);
  list("+ ", has, had);
  if (before && after) {
    for (const FirewallRule& rule : moved_rules(had.rules(), has.rules())) {
      lines.push_back("> " + words(rule) + "  (moved: its counters start anew)");
    }
    if (lines.empty() && in_another_place(*before, *after)) {
      lines.emplace_back("the same rules in another place");
    }
  }
  return lines;
}

}  // namespace plumbline::report
