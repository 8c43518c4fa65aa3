#include "cascade.hpp"

#include <algorithm>

namespace plumbline {

namespace {

bool is_taken_down(const Draft& draft) { return draft.have && (draft.split || !draft.want); }

struct ByKey {
  bool operator()(const Rule* a, const Rule* b) const { return *a < *b; }
};
using Rules = std::set<const Rule*, ByKey>;

/// The rules of one priority.
struct RuleGroup {
  Rules rules;
  bool some_are_there = false;
  bool some_are_wanted = false;
};

/// Which rules the removal of one may hit: as many walks over them as there are combinations of
/// conditions.
class Hits {
 public:
  explicit Hits(const Rules& rules) : rules_(rules) {}

  const std::vector<const Rule*>& of(const Rule& removed) {
    const std::uint32_t said = conditions_of(removed);
    const auto [found, is_new] = by_conditions_.try_emplace(said);
    if (is_new) {
      for (const Rule* rule : rules_) found->second[reduced(*rule, said)].push_back(rule);
    }
    return found->second[reduced(removed, said)];
  }

 private:
  const Rules& rules_;
  std::map<std::uint32_t, std::map<Rule, std::vector<const Rule*>>> by_conditions_;
};

/// A link that goes with another, not a port that only loses its bridge.
bool is_lost_link(const kernel::Taken& taken) {
  return std::holds_alternative<Link>(taken.before) && !taken.after;
}

Link without_master(Link port) {
  port.master.reset();
  port.port.reset();
  return port;
}

}  // namespace

void Cascade::before_order() {
  std::vector<std::pair<Key, Link>> going;
  for (const auto& [key, draft] : drafts_) {
    if (!std::holds_alternative<Link::Key>(key) || !is_taken_down(draft)) continue;
    going.emplace_back(key, std::get<Link>(*draft.have));
  }
  order_rules();
  free_identifiers(going);
  for (const auto& [key, link] : going) {
    if (link.has_qdisc.value_or(false) && !now_.options.take_foreign) {
      refuse(key, key, format(key) + " has a queueing discipline that is not ours");
    }
    if (const auto peer = peer_here(link)) take_peer(key, *peer);
  }
  // A setting of a link goes with it: there is nothing to put back. Undoing sets it again.
  for (auto& [key, draft] : drafts_) {
    const auto* sysctl = std::get_if<Sysctl::Key>(&key);
    if (sysctl != nullptr && draft.why == Why::unwanted && is_of_leaving_link(*sysctl)) {
      draft.want.reset();
    }
  }
}

bool Cascade::is_of_leaving_link(const Sysctl::Key& sysctl) const {
  for (const Need& need : needs(Sysctl{sysctl.path, ""})) {
    const auto link = drafts_.find(Key(Link::Key{std::get<NeedsLink>(need).name}));
    if (link != drafts_.end() && is_taken_down(link->second)) return true;
  }
  return false;
}

void Cascade::take_peer(const Key& cause, const IfName& name) {
  const Link* peer = now_.have.find<Link>(Link::Key{name});
  if (peer == nullptr || peer->kind != LinkKind::veth) return;
  const auto found = drafts_.find(Key(key(*peer)));
  if (found != drafts_.end()) {
    if (!is_taken_down(found->second)) found->second.replace();
    return;
  }
  Draft draft{.have = *peer};
  draft.forced = true;
  draft.why = Why::cascade;
  draft.cause = cause;
  draft.disrupts = Disruption::traffic;
  const Link* want = now_.want.find<Link>(key(*peer));
  if (want != nullptr && want->kind != LinkKind::physical && peer->marked) {
    draft.want = *want;
    draft.asked = *want;
    draft.split = true;
  } else if (!peer->marked && !now_.options.take_foreign) {
    return refuse(cause, key(*peer), format(key(*peer)) + ", its other end, is not ours");
  }
  drafts_.emplace(key(*peer), std::move(draft));
}

/// What no two links have in common is free, where one that has it goes, for another of another
/// name only then.
void Cascade::free_identifiers(const std::vector<std::pair<Key, Link>>& going) {
  std::map<std::string, const Link*> coming;
  for (const auto& [ignored, draft] : drafts_) {
    const auto* link = draft.want ? std::get_if<Link>(&*draft.want) : nullptr;
    const auto own = link != nullptr ? identity(*link) : std::nullopt;
    if (own) coming.emplace(own->value, link);
  }
  for (const auto& [key, link] : going) {
    const auto own = identity(link);
    const auto found = own ? coming.find(own->value) : coming.end();
    if (found == coming.end() || !exclude_each_other(*found->second, link)) continue;
    constraints_.insert(Constraint{{key, Side::down}, {plumbline::key(*found->second), Side::up}});
  }
}

/// The kernel may delete another rule than the one asked for, if that says more and stands before:
/// removal_may_hit(). So while a rule goes, on the way there or on the way back, no such rule may
/// stand before it. Where rules of one priority only come, or only go, their rank sees to it
/// (is_preferred()).
void Cascade::order_rules() {
  std::map<std::pair<Family, std::uint32_t>, RuleGroup> groups;
  const auto gather = [&](const State& state, bool RuleGroup::*seen) {
    for (const Rule& rule : state.of<Rule>()) {
      if (!is_marked(rule, now_.options.mark)) continue;
      RuleGroup& group = groups[{rule.family, rule.priority}];
      group.rules.insert(&rule);
      group.*seen = true;
    }
  };
  gather(now_.have, &RuleGroup::some_are_there);
  gather(now_.want, &RuleGroup::some_are_wanted);
  for (const auto& [ignored, group] : groups) {
    if (group.rules.size() < 2 || !group.some_are_there || !group.some_are_wanted) continue;
    Hits hits(group.rules);
    for (const Rule* rule : group.rules) {
      const auto draft = drafts_.find(Key(key(*rule)));
      if (draft == drafts_.end() || draft->second.forced) continue;
      for (const Rule* other : hits.of(*rule)) {
        if (other != rule) clear_way(draft->first, *other);
      }
    }
  }
}

void Cascade::clear_way(const Key& key, const Rule& other) {
  const Draft& draft = drafts_.at(key);
  const End cause{key, draft.have ? Side::down : Side::up};
  const Key other_key = plumbline::key(other);
  const auto found = drafts_.find(other_key);
  if (found == drafts_.end()) {
    add({other}, cause, {.want = other, .asked = other, .split = true});
  } else if (found->second.have) {
    before(other_key, cause);
  } else if (!draft.have) {
    after(other_key, cause);
  }
}

bool Cascade::follow(const std::vector<Node>& order) {
  kernel::World world(now_.have);
  bool added = false;
  for (const Node& node : order) {
    for (const kernel::Taken& taken : world.carry_out(node.before, node.after)) {
      added = resolve(taken, node) || added;
    }
  }
  return added;
}

void Cascade::split(const Key& key) {
  Draft& draft = drafts_.at(key);
  draft.replace();
  if (!std::holds_alternative<Sysctl>(*draft.have)) draft.disrupts = Disruption::traffic;
  const auto* link = std::get_if<Link>(&*draft.have);
  if (link == nullptr || !link->master) return;
  const Link released = without_master(*link);
  draft.middle = released;
  draft.want = complete(std::get<Link>(*draft.want), released);
}

bool Cascade::resolve(const kernel::Taken& taken, const Node& cause) {
  const Key key = key_of(taken.before);
  if (key == *cause.key) return false;
  if (!is_marked_or_wanted(taken.before) ||
      (is_lost_link(taken) && !std::get<Link>(taken.before).marked)) {
    return !is_made_by_kernel(taken.before) && lose_foreign(taken, cause.end());
  }
  const auto found = drafts_.find(key);
  if (found != drafts_.end()) return constrain(key, found->second, taken, cause.end());
  return lose_ours(taken, cause.end());
}

bool Cascade::is_made_by_kernel(const Resource& resource) {
  if (!made_by_kernel_) made_by_kernel_.emplace(now_.have, now_.want);
  return (*made_by_kernel_)(resource);
}

bool Cascade::is_marked_or_wanted(const Resource& resource) const {
  if (const auto* link = std::get_if<Link>(&resource)) {
    const Link* want = now_.want.find<Link>(key(*link));
    const bool configured = now_.memory.earlier.find<Link>(key(*link)) != nullptr;
    return link->marked || configured || (want != nullptr && want->kind == LinkKind::physical);
  }
  if (std::holds_alternative<Sysctl>(resource)) return true;
  return std::visit([&](const auto& value) { return is_marked(value, now_.options.mark); },
                    resource);
}

bool Cascade::before(const Key& key, const End& cause) {
  return constraints_.insert({{key, Side::down}, cause}).second;
}

bool Cascade::after(const Key& key, const End& cause) {
  return constraints_.insert({cause, {key, Side::up}}).second;
}

bool Cascade::around(const Key& key, const End& cause) {
  const bool first = before(key, cause);
  return after(key, cause) || first;
}

bool Cascade::constrain(const Key& key, Draft& draft, const kernel::Taken& taken,
                        const End& cause) {
  if (draft.blocked() && !draft.forced) {
    // It cannot be had as it should be; what is there of it goes.
    draft.forced = true;
    return before(key, cause);
  }
  if (!draft.have) return after(key, cause);
  if (draft.split) return around(key, cause);
  if (!draft.want) return before(key, cause);
  if (is_lost_link(taken)) {
    draft.replace();
    draft.disrupts = Disruption::traffic;
    around(key, cause);
    return true;
  }
  if (std::holds_alternative<Sysctl>(taken.before) && taken.after) return after(key, cause);
  if (const auto* port = std::get_if<Link>(&taken.before)) {
    auto& want = std::get<Link>(*draft.want);
    const bool managed = draft.asked && std::get<Link>(*draft.asked).master;
    if (managed && want.master != port->master) return before(key, cause);
    if (!managed && want.master) {
      want = without_master(want);
      return before(key, cause);
    }
    if (!managed) return before(key, cause);
  }
  split(key);
  around(key, cause);
  return true;
}

bool Cascade::add(const kernel::Taken& taken, const End& cause, Draft draft) {
  draft.have = taken.before;
  draft.forced = true;
  draft.why = Why::cascade;
  draft.cause = cause.key;
  if (!std::holds_alternative<Sysctl>(taken.before)) draft.disrupts = Disruption::traffic;
  const Key key = key_of(taken.before);
  const bool both = draft.split;
  drafts_.emplace(key, std::move(draft));
  if (both) {
    around(key, cause);
  } else {
    before(key, cause);
  }
  return true;
}

bool Cascade::lose_ours(const kernel::Taken& taken, const End& cause) {
  return std::visit(
      [&]<class K>(const K& value) {
        const K* want = now_.want.find<K>(key(value));
        if constexpr (std::is_same_v<K, Link>) {
          if (!is_lost_link(taken)) return lose_port(value, cause, want);
        }
        if constexpr (std::is_same_v<K, Sysctl>) {
          if (want == nullptr) return taken.after && follow_back(taken, cause);
          if (!taken.after) {
            return add(taken, cause, {.want = *want, .asked = *want, .split = true});
          }
          return set_after(taken, cause, {.want = *want, .asked = *want});
        } else {
          if (want == nullptr) return add(taken, cause, {});
          return add(taken, cause, {.want = *want, .asked = *want, .split = true});
        }
      },
      taken.before);
}

/// A sysctl that is changed along is written once that was.
bool Cascade::set_after(const kernel::Taken& taken, const End& cause, Draft draft) {
  if (taken.after == draft.want) return false;
  const Key key = key_of(taken.before);
  add(taken, cause, std::move(draft));
  constraints_.erase({{key, Side::down}, cause});
  after(key, cause);
  return true;
}

/// One that no spec names is put back to what it was.
bool Cascade::follow_back(const kernel::Taken& taken, const End& cause) {
  const auto& value = std::get<Sysctl>(taken.before);
  const Draft& driver = drafts_.at(cause.key);
  const auto goal = now_.goals.sysctl(value.path);
  if (!goal || !driver.have || !now_.goals.refusal(key_of(taken.before)).empty()) return false;
  if (!now_.goals.follows(value.path, std::get<Sysctl>(*driver.have))) return false;
  if (!set_after(taken, cause, {.want = complete(*goal, value)})) return false;
  drafts_.at(key_of(taken.before)).why = Why::unwanted;
  return true;
}

/// A port that loses its bridge leaves it before, so that undoing brings it back.
bool Cascade::lose_port(const Link& port, const End& cause, const Link* want) {
  if (!port.master) return false;
  const Link released = without_master(port);
  if (want == nullptr || !want->master) return add({port}, cause, {.want = released});
  return add(
      {port}, cause,
      {.middle = released, .want = complete(*want, released), .asked = *want, .split = true});
}

bool Cascade::lose_foreign(const kernel::Taken& taken, const End& cause) {
  const Key key = key_of(taken.before);
  const auto* link = std::get_if<Link>(&taken.before);
  const Link* port = is_lost_link(taken) ? nullptr : link;
  if (!now_.options.take_foreign) {
    const std::string loss = port != nullptr ? " would take its bridge from " + format(key) + ","
                                             : " would take " + format(key) + " along,";
    refuse(cause.key, key, "changing " + format(cause.key) + loss + " which is not ours");
    return false;
  }
  if (drafts_.contains(key)) return before(key, cause);
  if (port != nullptr) return lose_port(*port, cause, nullptr);
  if (taken.after) return false;
  return add(taken, cause, {});
}

void Cascade::refuse(const Key& cause, const Key& dependent, const std::string& what) {
  refusals_.try_emplace(
      {dependent, what},
      Diagnostic{
          Code::foreign_dependents, what + " (--take-foreign lets it go)", now_.origin(cause), {}});
}

std::vector<Diagnostic> Cascade::refusals() const {
  std::vector<Diagnostic> all;
  for (const auto& [ignored, refusal] : refusals_) all.push_back(refusal);
  return all;
}

}  // namespace plumbline
