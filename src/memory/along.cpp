#include "plumbline/memory/along.hpp"

namespace plumbline::memory {

std::vector<AlongQuery> queries_along(const Plan& plan, const State& have) {
  std::vector<IfName> links;
  for (const Link& link : have.of<Link>()) links.push_back(link.name);
  std::vector<AlongQuery> queries;
  for (const Step& step : plan.steps) {
    const auto* sysctl = step.after ? std::get_if<Sysctl>(&*step.after) : nullptr;
    if (sysctl == nullptr) continue;
    AlongQuery query{sysctl->path, {}};
    for (const std::string& path : changed_along(*sysctl, links)) {
      query.reads.emplace_back(wire::SysctlRead{path});
    }
    queries.push_back(std::move(query));
  }
  return queries;
}

void take_along(const AlongQuery& query, const std::vector<wire::Reply>& replies,
                const LinkNames& links, SettingsAlong& along) {
  for (std::size_t i = 0; i < query.reads.size(); ++i) {
    if (replies[i].error != 0) continue;
    Sysctl::decode(query.reads[i], replies[i], links, along[query.driver]);
  }
}

std::vector<wire::Request> writes_back(const Resource& driver, const SettingsAlong& along) {
  std::vector<wire::Request> writes;
  const auto* sysctl = std::get_if<Sysctl>(&driver);
  const auto found = sysctl != nullptr ? along.find(sysctl->path) : along.end();
  if (found == along.end()) return writes;
  for (const Sysctl& other : found->second) {
    writes.emplace_back(wire::SysctlWrite{other.path, other.value});
  }
  return writes;
}

bool changes_what_has_no_mark(const Step& step) {
  if (!step.after) return false;
  if (const auto* link = std::get_if<Link>(&*step.after)) return !link->marked;
  return std::holds_alternative<Sysctl>(*step.after) ||
         std::holds_alternative<SharedChain>(*step.after);
}

}  // namespace plumbline::memory
