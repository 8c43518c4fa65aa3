#include "cascade.hpp"

#include <algorithm>

#include "plumbline/kernel/removal_hits.hpp"

namespace plumbline::plan {

namespace {

bool is_taken_down(const Draft& draft) { return draft.have && (draft.split || !draft.want); }

bool needs_one_of(const std::set<IfName>& links, const Resource& resource) {
  const auto is_one = [&](const Need& need) {
    const auto* link = std::get_if<NeedsLink>(&need);
    return link != nullptr && links.contains(link->name);
  };
  return std::visit([&](const auto& value) { return std::ranges::any_of(needs(value), is_one); },
                    resource);
}

/// What no two of the kind have in common, if it has such a thing.
template <class K>
constexpr bool has_identity = requires(const K& value) {
  identity(value);
};

/// Others may have put something on it.
template <class K>
constexpr bool may_carry_others = requires(const K& value) {
  foreign_part(value);
};

/// Another of its kind goes with it.
template <class K>
constexpr bool has_partner = requires(const K& value) {
  partner(value);
};

}  // namespace

// ---- before there is an order -------------------------------------------------------------------

void Cascade::before_order() {
  order_removals();
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    if constexpr (has_identity<K>) free_identities<K>(going<K>());
  });
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    if constexpr (may_carry_others<K> || has_partner<K>) {
      for (const auto& [key, value] : going<K>()) {
        if constexpr (may_carry_others<K>) {
          const std::string others = foreign_part(value);
          if (!others.empty() && !now_.options.take_foreign) {
            refuse(key, key, format(key) + " has " + others + " that is not ours");
          }
        }
        if constexpr (has_partner<K>) take_partner(key, value);
      }
    }
  });
  // A setting of a link goes with it: there is nothing to put back. Undoing sets it again.
  const std::set<IfName> leaving = leaving_links();
  for (auto& [key, draft] : drafts_) {
    const bool is_put_back = draft.why == Why::unwanted && draft.have && is_setting(*draft.have);
    if (is_put_back && needs_one_of(leaving, *draft.have)) draft.want.reset();
  }
}

template <class K>
Cascade::Going<K> Cascade::going() const {
  Going<K> going;
  for (const auto& [key, draft] : drafts_) {
    if (!std::holds_alternative<typename K::Key>(key) || !is_taken_down(draft)) continue;
    going.emplace_back(key, std::get<K>(*draft.have));
  }
  return going;
}

bool Cascade::is_setting(const Resource& resource) {
  return std::visit(
      []<class K>(const K&) {
        return requires { requires K::is_setting; };
      },
      resource);
}

std::set<IfName> Cascade::leaving_links() const {
  std::set<IfName> leaving;
  for (const auto& [key, draft] : drafts_) {
    if (!is_taken_down(draft)) continue;
    std::visit(
        [&](const auto& of) {
          if constexpr (requires { names_link(of); }) leaving.insert(names_link(of));
        },
        key);
  }
  return leaving;
}

template <class K>
void Cascade::take_partner(const Key& cause, const K& value) {
  const auto where = partner(value);
  const K* other = where ? now_.have.find<K>(*where) : nullptr;
  if (other == nullptr || !is_partner(value, *other)) return;
  const auto found = drafts_.find(Key(*where));
  if (found != drafts_.end()) {
    if (!is_taken_down(found->second)) found->second.replace();
    return;
  }
  Draft draft{.have = *other};
  draft.forced = true;
  draft.why = Why::cascade;
  draft.cause = cause;
  draft.disrupts = Disruption::traffic;
  const bool ours = is_marked(*other, now_.options.mark);
  const K* want = now_.want.find<K>(*where);
  if (want != nullptr && !only_set(*want) && ours) {
    draft.want = *want;
    draft.asked = *want;
    draft.split = true;
  } else if (!ours && !now_.options.take_foreign) {
    return refuse(cause, *where, format(*where) + ", its other end, is not ours");
  }
  drafts_.emplace(*where, std::move(draft));
}

/// What no two of the kind have in common is free, where one that has it goes, for another of
/// another name only then.
template <class K>
void Cascade::free_identities(const Going<K>& going) {
  std::map<std::string, const K*> coming;
  for (const auto& [ignored, draft] : drafts_) {
    const auto* value = draft.want ? std::get_if<K>(&*draft.want) : nullptr;
    const auto own = value != nullptr ? identity(*value) : std::nullopt;
    if (own) coming.emplace(own->value, value);
  }
  for (const auto& [key, value] : going) {
    const auto own = identity(value);
    const auto found = own ? coming.find(own->value) : coming.end();
    if (found == coming.end() || !exclude_each_other(*found->second, value)) continue;
    constraints_.insert(Constraint{{key, Side::down}, {plumbline::key(*found->second), Side::up}});
  }
}

template <class K>
void Cascade::clear_way(const Key& key, const K& other) {
  const Draft& draft = drafts_.at(key);
  const End cause{key, draft.have ? Side::down : Side::up};
  const Key other_key = plumbline::key(other);
  const auto found = drafts_.find(other_key);
  if (found == drafts_.end()) {
    add(other, cause, {.want = other, .asked = other, .split = true});
  } else if (found->second.have) {
    before(other_key, cause);
  } else if (!draft.have) {
    after(other_key, cause);
  }
}

/// The kernel may delete another object than the one asked for, if that says more and stands before
/// (kernel/removal_hits.hpp). So while one goes, on the way there or on the way back, no such other
/// may stand before it. Where they only come, or only go, their rank sees to it (is_preferred()).
void Cascade::order_removals() {
  for (auto& mixed : kernel::rules_that_mix(now_.have, now_.want, now_.options.mark)) {
    for (const auto* one : mixed.all()) {
      const auto draft = drafts_.find(Key(key(*one)));
      if (draft == drafts_.end() || draft->second.forced) continue;
      for (const auto* other : mixed.hit_by(*one)) {
        if (other != one) clear_way(draft->first, *other);
      }
    }
  }
}

// ---- along an order -----------------------------------------------------------------------------

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
  if (!is_setting(*draft.have)) draft.disrupts = Disruption::traffic;
  std::visit(
      [&]<class K>(const K& have) {
        if constexpr (can_be_released<K>) {
          if (!holder(have)) return;
          const K alone = released(have);
          draft.middle = alone;
          draft.want = complete(std::get<K>(*draft.want), alone);
        }
      },
      *draft.have);
}

bool Cascade::is_made_by_kernel(const Resource& resource) {
  if (!made_by_kernel_) made_by_kernel_.emplace(now_.have, now_.want);
  return (*made_by_kernel_)(resource);
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

bool Cascade::add(const Resource& had, const End& cause, Draft draft) {
  draft.have = had;
  draft.forced = true;
  draft.why = Why::cascade;
  draft.cause = cause.key;
  if (!is_setting(had)) draft.disrupts = Disruption::traffic;
  const Key key = key_of(had);
  const bool both = draft.split;
  drafts_.emplace(key, std::move(draft));
  if (both) {
    around(key, cause);
  } else {
    before(key, cause);
  }
  return true;
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

}  // namespace plumbline::plan
