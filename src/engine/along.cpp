#include "along.hpp"

namespace plumbline::engine {

namespace {

std::vector<IfName> link_list(const State& state) {
  std::vector<IfName> names;
  for (const Link& link : state.of<Link>()) names.push_back(link.name);
  return names;
}

/// What of such a thing is changed has to be remembered.
bool changes_what_has_no_mark(const Step& step) {
  if (!step.after) return false;
  if (const auto* link = std::get_if<Link>(&*step.after)) return !link->marked;
  return std::holds_alternative<Sysctl>(*step.after) ||
         std::holds_alternative<SharedChain>(*step.after);
}

}  // namespace

memory::SysctlsAlong read_along(const Context& context, const Prepared& prepared) {
  const std::vector<IfName> links = link_list(prepared.have.state);
  memory::SysctlsAlong along;
  for (const Step& step : prepared.plan.steps) {
    const auto* sysctl = step.after ? std::get_if<Sysctl>(&*step.after) : nullptr;
    if (sysctl == nullptr) continue;
    std::vector<wire::Request> reads;
    for (const std::string& path : changed_along(*sysctl, links)) {
      reads.emplace_back(wire::SysctlRead{path});
    }
    const std::vector<wire::Reply> replies = context.host.exchange(reads);
    for (std::size_t i = 0; i < reads.size(); ++i) {
      if (replies[i].error != 0) continue;  // a link that is gone by now
      Sysctl::decode(reads[i], replies[i], prepared.have.links, along[sysctl->path]);
    }
  }
  return along;
}

std::vector<Key> set_first(const Context& context, const Prepared& prepared) {
  const State& want = prepared.desired.state;
  const memory::SysctlsAlong along = read_along(context, prepared);
  const auto remember_of = [&](memory::Memory& memory, const Plan& plan) {
    remember(memory, plan, want, along, prepared.have.links);
  };
  memory::Memory known = prepared.ledger.memory;
  known.applied.clear();
  remember_of(known, Plan());
  std::vector<Key> keys;
  for (const Step& step : prepared.plan.steps) {
    if (!changes_what_has_no_mark(step)) continue;
    Plan alone;
    alone.steps.push_back(step);
    memory::Memory grown = known;
    remember_of(grown, alone);
    if (grown.earlier != known.earlier) keys.push_back(step.key);
  }
  return keys;
}

}  // namespace plumbline::engine
