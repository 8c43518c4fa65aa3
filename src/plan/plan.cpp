#include "plumbline/plan/plan.hpp"

#include <algorithm>

#include "cascade.hpp"
#include "diff.hpp"
#include "two_commits.hpp"
#include "views.hpp"

namespace plumbline::plan {

namespace {

/// What a change takes along is known only when the order is, and changes what has to be done: so
/// both are made again until nothing is taken along that was not thought of.
std::vector<Node> settled_order(const Situation& now, Drafts& drafts, Constraints& constraints,
                                Cascade& cascade) {
  ChainNames chains = known_chains(now.have, now.want);
  chains.insert(now.options.chains.begin(), now.options.chains.end());
  cascade.before_order();
  while (true) {
    settle_blocked(now.have, chains, drafts);
    const Providers before = providers_before(now.have, drafts);
    const Providers after = providers_after(now.have, drafts);
    Order found = order(drafts, {before, after, chains, constraints});
    if (found.must_split) {
      cascade.split(*found.must_split);
    } else if (!cascade.follow(found.nodes)) {
      return std::move(found.nodes);
    }
  }
}

Step step_of(const Node& node, std::size_t id, const Situation& now) {
  const auto copy = [](const Resource* value) {
    return value == nullptr ? std::nullopt : std::optional<Resource>(*value);
  };
  Step step;
  step.id = id;
  step.key = *node.key;
  step.action = node.action;
  step.before = copy(node.before);
  step.after = copy(node.after);
  step.why = node.draft->why;
  step.cause = node.draft->cause;
  step.disrupts = node.draft->disrupts;
  step.phase = node.phase;
  step.needs = node.needs;
  step.origin = now.origin(*node.key);
  return step;
}

std::vector<Step> steps_of(const std::vector<Node>& nodes, const Situation& now) {
  std::vector<Step> steps;
  std::map<const Draft*, std::size_t> ids;
  steps.reserve(nodes.size());
  for (const Node& node : nodes) {
    const auto [id, ignored] = ids.emplace(node.draft, ids.size());
    steps.push_back(step_of(node, id->second, now));
  }
  return steps;
}

std::vector<Blocked> all_blocked(std::vector<Blocked> blocked, const Drafts& drafts,
                                 const Situation& now) {
  for (const auto& [key, draft] : drafts) {
    if (draft.blocked()) blocked.push_back({key, draft.waits_for, now.origin(key)});
  }
  std::ranges::sort(blocked, std::ranges::less{}, &Blocked::key);
  return blocked;
}

}  // namespace

Plan make_plan(const State& have, const State& want, const memory::Memory& memory,
               const std::map<Key, Origin>& origins, const Options& options) {
  State sorted_have = have;
  State sorted_want = want;
  sorted_have.sort();
  sorted_want.sort();
  const Situation now{sorted_have, sorted_want, memory, origins, options};

  Difference found = difference(now);
  go_gradually(found.drafts);
  Constraints constraints;
  Cascade cascade(now, found.drafts, constraints);
  const std::vector<Node> nodes = settled_order(now, found.drafts, constraints, cascade);

  Plan plan;
  plan.steps = steps_of(nodes, now);
  plan.blocked = all_blocked(std::move(found.blocked), found.drafts, now);
  plan.warnings = std::move(found.warnings);
  plan.refusals = std::move(found.refusals);
  const std::vector<Diagnostic> dependents = cascade.refusals();
  plan.refusals.insert(plan.refusals.end(), dependents.begin(), dependents.end());
  if (want.empty() && !plan.steps.empty() && !options.allow_empty) {
    plan.refusals.push_back({Code::would_remove_everything,
                             "the spec wants nothing, so everything of ours would be removed "
                             "(--allow-empty lets it)",
                             {},
                             {}});
  }
  return plan;
}

}  // namespace plumbline::plan
