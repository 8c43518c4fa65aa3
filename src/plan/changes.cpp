#include "changes.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <set>

namespace plumbline {

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
  return found;
}

const std::string* find(const std::vector<std::pair<std::string, std::string>>& list,
                        const std::string& name) {
  const auto it = std::ranges::find(list, name, &std::pair<std::string, std::string>::first);
  return it == list.end() ? nullptr : &it->second;
}

std::vector<std::string> rules_of(const std::optional<Resource>& resource) {
  std::vector<std::string> rules;
  if (!resource) return rules;
  const auto take = [&](const std::vector<std::string>& more) {
    rules.insert(rules.end(), more.begin(), more.end());
  };
  if (const auto* chain = std::get_if<Chain>(&*resource)) {
    take(chain->rules);
  } else if (const auto* shared = std::get_if<SharedChain>(&*resource)) {
    take(shared->insert);
    take(shared->strays);
    take(shared->append);
  }
  return rules;
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

std::vector<std::string> rule_changes(const std::optional<Resource>& before,
                                      const std::optional<Resource>& after) {
  const std::vector<std::string> had = rules_of(before);
  const std::vector<std::string> has = rules_of(after);
  const std::multiset<std::string> old(had.begin(), had.end());
  const std::multiset<std::string> fresh(has.begin(), has.end());
  std::vector<std::string> lines;

  for (const std::string& rule : had) {
    if (!fresh.contains(rule)) lines.push_back("- " + rule);
  }
  for (const std::string& rule : has) {
    if (!old.contains(rule)) lines.push_back("+ " + rule);
  }
  const bool moved = lines.empty() && had != has;
  if (moved) lines.emplace_back("the same rules in another order or place");
  return lines;
}

}  // namespace plumbline
