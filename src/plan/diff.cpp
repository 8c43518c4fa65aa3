#include "diff.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "adopt_command.hpp"
#include "ownership.hpp"
#include "plumbline/base/digest.hpp"
#include "plumbline/kernel/adoptable.hpp"
#include "plumbline/kernel/routes_to_come.hpp"

namespace plumbline {

namespace {

std::uint64_t digest(std::string_view text) { return Digest().add(text).value(); }

class Comparison {
 public:
  explicit Comparison(const Situation& situation)
      : now_(situation),
        kernel_routes_(
            kernel::routes_to_come(situation.have, situation.want, situation.options.mark)) {
    for (const Link& link : now_.have.of<Link>()) {
      for (const std::string& name : link.altnames.names) altnames_.emplace(name, &link);
    }
  }

  Difference run() {
    Kinds::for_each([&]<class K>(std::type_identity<K>) { compare<K>(); });
    return std::move(result_);
  }

 private:
  template <class K>
  void compare() {
    const auto& have = now_.have.of<K>();
    const auto& want = now_.want.of<K>();
    auto h = have.begin();
    auto w = want.begin();
    while (h != have.end() || w != want.end()) {
      const bool only_have = w == want.end() || (h != have.end() && key(*h) < key(*w));
      const bool only_want = h == have.end() || (w != want.end() && key(*w) < key(*h));
      const auto first = h;
      if (!only_want) {
        while (h != have.end() && key(*h) == key(*first)) ++h;
      }
      const std::vector<const K*> there = pointers<K>(first, h);
      if (only_have) {
        unwanted(there);
      } else {
        wanted(*w, there);
        ++w;
      }
    }
  }

  template <class K, class Iterator>
  static std::vector<const K*> pointers(Iterator first, Iterator last) {
    std::vector<const K*> values;
    for (; first != last; ++first) values.push_back(&*first);
    return values;
  }

  // ---- wanted ----

  template <class K>
  void wanted(const K& want, const std::vector<const K*>& there) {
    if (there.empty()) return create(want);
    for (const K* have : there) {
      if (is_ours(*have, now_.options.mark, true)) return change_beside(*have, want, there);
    }
    beside_foreign(want, there);
  }
  void wanted(const Link& want, const std::vector<const Link*>& there) {
    if (want.kind == LinkKind::physical) return physical(want, there);
    if (there.empty()) return name_is_free(want) ? create(want) : void();
    if (is_marked(*there.front(), now_.options.mark)) return change(*there.front(), want, want);
    beside_foreign(want, there);
  }
  void wanted(const Route& want, const std::vector<const Route*>& there) {
    const auto made = there.empty() ? kernel_routes_.find(key(want)) : kernel_routes_.end();
    if (made == kernel_routes_.end()) return wanted<Route>(want, there);
    refuse(want,
           ": a route of this table, destination and metric is made by the kernel itself for " +
               format(key(made->second)) + ": leave it out, or give it another metric");
  }
  void wanted(const Address& want, const std::vector<const Address*>& there) {
    if (!there.empty() || !kernel::comes_with_loopback(now_.have, now_.want, want))
      return wanted<Address>(want, there);
    result_.warnings.push_back({Code::foreign_equal,
                                format(key(want)) + " comes with the link: the kernel makes it",
                                now_.origin(key(want)),
                                {}});
  }
  void wanted(const WireGuard& want, const std::vector<const WireGuard*>& there) {
    if (there.empty()) return create(want);
    if (!is_marked(*there.front(), now_.options.mark)) return beside_foreign(want, there);
    change(*there.front(), with_new_endpoints(want), want);
  }
  void wanted(const Sysctl& want, const std::vector<const Sysctl*>& there) {
    if (!there.empty()) return change(*there.front(), want, want);
    const auto link = link_of(want.path);
    const bool link_is_there = link && now_.have.find<Link>({*link}) != nullptr;
    if (!link_is_there || value_without_ipv6(want.path) != want.value) create(want);
  }
  void wanted(const SharedChain& want, const std::vector<const SharedChain*>& there) {
    if (there.empty()) return create(want);
    change(*there.front(), now_.goals.with_earlier(want), want);
  }

  /// Of a device that nothing is remembered of no endpoint counts as new.
  WireGuard with_new_endpoints(WireGuard want) const {
    const auto& applied = now_.memory.applied;
    if (!applied.contains(format(key(want)))) return want;
    for (WireGuardPeer& peer : want.peers) {
      if (!peer.endpoint) continue;
      const auto found = applied.find(endpoint_key(want, peer));
      peer.endpoint_is_new =
          found == applied.end() || found->second != digest(format(*peer.endpoint));
    }
    return want;
  }

  /// `have` is ours, others in `there` may not be. NLM_F_REPLACE takes the first route of an
  /// identity, whose ever it is (net/ipv4/fib_trie.c, net/ipv6/ip6_fib.c).
  template <class K>
  void change_beside(const K& have, const K& want, const std::vector<const K*>& there) {
    if constexpr (std::is_same_v<K, Route>) {
      const bool beside = std::ranges::any_of(
          there, [&](const Route* other) { return !is_ours(*other, now_.options.mark, true); });
      const bool changes = transition(have, complete(want, have)).change != Change::none;
      if (beside && changes) return conflict(want, there);
    }
    change(have, want, want);
  }

  /// Never created: waits until it is there.
  void physical(const Link& want, const std::vector<const Link*>& there) {
    if (there.empty()) {
      block(want, {format(Need{NeedsLink{want.name}})});
      return;
    }
    Link full = now_.goals.with_earlier(want, *there.front());
    full.marked = there.front()->marked;
    change(*there.front(), full, want);
  }

  template <class K>
  void create(const K& want) {
    Draft draft{.have = std::nullopt, .want = want, .asked = want};
    draft.why = reason(now_, want, false);
    result_.drafts.emplace(key(want), std::move(draft));
  }

  template <class K>
  void change(const K& have, const K& want, const K& asked) {
    const K full = complete(want, have);
    const Transition way = transition(have, full);
    if (way.change == Change::none) return;
    if (!way.blocked_until.empty()) return block(asked, {way.blocked_until});
    Draft draft{.have = have, .want = full, .asked = asked};
    draft.why = reason(now_, asked, true);
    draft.disrupts = way.disrupts;
    if (way.change == Change::replace) {
      draft.want = want;
      draft.split = true;
    }
    result_.drafts.emplace(key(have), std::move(draft));
  }

  template <class K>
  void block(const K& want, std::vector<std::string> waits_for) {
    result_.blocked.push_back({key(want), std::move(waits_for), now_.origin(key(want))});
  }

  template <class K>
  void beside_foreign(const K& want, const std::vector<const K*>& there) {
    const bool equal = std::ranges::any_of(
        there, [&](const K* foreign) { return is_equal(*foreign, want, now_.options.mark); });
    if (equal) {
      const std::string command = takeover(there);
      result_.warnings.push_back({Code::foreign_equal,
                                  format(key(want)) +
                                      " is there as wanted, but not ours: it is left alone" +
                                      (command.empty() ? "" : " (" + command + " makes it ours)"),
                                  now_.origin(key(want)),
                                  {}});
    } else {
      conflict(want, there);
    }
  }

  template <class K>
  void conflict(const K& want, const std::vector<const K*>& there) {
    const std::string command = takeover(there);
    refuse(want, " is there, is not ours and differs from the spec: have its owner remove it" +
                     (command.empty() ? "" : ", or take it over: " + command));
  }

  template <class K>
  void refuse(const K& want, const std::string& why) {
    result_.refusals.push_back(
        {Code::foreign_conflict, format(key(want)) + why, now_.origin(key(want)), {}});
  }

  /// The kernel resolves alternative names wherever a name is looked up, and makes no link of one
  /// (__dev_alloc_name() and rtnl_newlink() in net/core).
  [[nodiscard]] bool name_is_free(const Link& want) {
    const auto found = altnames_.find(want.name.view());
    if (found == altnames_.end()) return true;
    const std::string other = format(found->second->name);
    refuse(want, ": the name is an alternative name of " + other +
                     ": choose another, or take it away from that link (ip link property del dev " +
                     other + " altname " + format(want.name) + ")");
    return false;
  }

  /// The command that would make it ours, where one can.
  template <class K>
  [[nodiscard]] std::string takeover(const std::vector<const K*>& there) const {
    const bool one = there.size() == 1;
    if (!one || !kernel::why_not_adoptable(now_.have, *there.front(), now_.options.mark).empty())
      return {};
    return adopt_command(key(*there.front()));
  }
  /// A tunnel is ours as its link is, of which there is a message too.
  [[nodiscard]] static std::string takeover(const std::vector<const WireGuard*>& /*there*/) {
    return {};
  }

  // ---- not wanted ----

  template <class K>
  void unwanted(const std::vector<const K*>& there) {
    for (const K* have : there) {
      if (!is_ours(*have, now_.options.mark, false)) continue;
      Draft draft{.have = *have};
      draft.why = Why::unwanted;
      draft.disrupts = K::loss;
      result_.drafts.emplace(key(*have), std::move(draft));
      return;
    }
  }
  void unwanted(const std::vector<const Link*>& there) {
    const Link& have = *there.front();
    if (have.marked) return unwanted<Link>(there);
    if (now_.memory.earlier.find<Link>(key(have)) == nullptr) return;
    Link goal;
    goal.name = have.name;
    put_back(have, now_.goals.with_earlier(goal, have));
  }
  void unwanted(const std::vector<const Sysctl*>& there) {
    if (const auto goal = now_.goals.sysctl(there.front()->path)) put_back(*there.front(), *goal);
  }
  void unwanted(const std::vector<const SharedChain*>& there) {
    const SharedChain& have = *there.front();
    const auto* earlier = now_.memory.earlier.find<SharedChain>(key(have));
    const bool other_policy =
        earlier != nullptr && earlier->policy && earlier->policy != have.policy;
    if (!other_policy) return unwanted<SharedChain>(there);
    SharedChain without = have;
    without.insert = {};
    without.append = {};
    without.strays = {};
    without.stray_places.clear();
    SharedChain goal = without;
    goal.policy = earlier->policy;
    put_back(without, goal);
    const auto draft = result_.drafts.find(key(have));
    if (draft != result_.drafts.end()) draft->second.have = have;
  }

  /// What cannot be put back now stays remembered, and is told.
  template <class K>
  void put_back(const K& have, const K& goal) {
    const K full = complete(goal, have);
    const Transition way = transition(have, full);
    if (way.change == Change::none) return;
    std::string obstacle = now_.goals.refusal(key(have));
    if (obstacle.empty()) obstacle = way.blocked_until;
    if (obstacle.empty() && way.change == Change::replace) obstacle = "another object of its name";
    if (!obstacle.empty()) return block(have, {std::move(obstacle)});
    Draft draft{.have = have, .want = full};
    draft.why = Why::unwanted;
    draft.disrupts = way.disrupts;
    result_.drafts.emplace(key(have), std::move(draft));
  }

  const Situation& now_;
  std::map<Route::Key, Address> kernel_routes_;
  std::map<std::string_view, const Link*> altnames_;
  Difference result_;
};

}  // namespace

Difference difference(const Situation& situation) { return Comparison(situation).run(); }

std::uint64_t digest(const Resource& wanted) {
  Digest digest;
  digest.add(format(key_of(wanted))).add(" ");
  if (const auto* chain = std::get_if<Chain>(&wanted)) {
    digest.add(std::to_string(chain->rules.digest()));
  } else if (const auto* shared = std::get_if<SharedChain>(&wanted)) {
    digest.add(shared->policy.value_or("") + " " + std::to_string(shared->insert.digest()) + " " +
               std::to_string(shared->append.digest()));
  } else {
    digest.add(boost::json::serialize(to_spec(wanted)));
  }
  if (const auto* link = std::get_if<Link>(&wanted)) digest.add(" " + link->assignment);
  return digest.value();
}

void note_applied(std::map<std::string, std::uint64_t>& applied, const Resource& wanted) {
  applied.insert_or_assign(format(key_of(wanted)), digest(wanted));
  const auto* device = std::get_if<WireGuard>(&wanted);
  if (device == nullptr) return;
  for (const WireGuardPeer& peer : device->peers) {
    if (!peer.endpoint) continue;
    applied.insert_or_assign(endpoint_key(*device, peer), digest(format(*peer.endpoint)));
  }
}

Why reason(const Situation& situation, const Resource& asked, bool exists) {
  const auto& applied = situation.memory.applied;
  if (!applied.empty()) {
    const auto found = applied.find(format(key_of(asked)));
    if (found != applied.end() && found->second == digest(asked)) return Why::drifted;
  }
  return exists ? Why::changed : Why::added;
}

}  // namespace plumbline
