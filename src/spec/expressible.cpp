#include "plumbline/spec/expressible.hpp"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <utility>

#include "plumbline/base/diagnostics.hpp"
#include "plumbline/kernel/kernel_made.hpp"

namespace plumbline::spec {

namespace {

// ---- why a spec cannot say an object; empty when it can -----------------------------------------

/// ETH_MAX_MTU, as Link::from_spec() has it.
constexpr std::uint32_t most_mtu = 65535;
constexpr const char* not_utf8 = "a name in it is not UTF-8";

bool is_text(const IfName& name) { return is_utf8(name.view()); }
bool is_text(const std::optional<std::string>& name) { return !name || is_utf8(*name); }

std::string why_not(const Link& link, const kernel::KernelMade&) {
  return is_text(link.name) ? "" : not_utf8;
}

std::string why_not(const Address& address, const kernel::KernelMade& made_by_kernel) {
  if (!is_text(address.link)) return not_utf8;
  if (!address.permanent) return "it has a lifetime, as DHCP and routers give it";
  if (made_by_kernel(address)) return "it is link-local, and may be one of the kernel's own";
  if (address.peer) return "a spec cannot say the peer of an address";
  return {};
}

std::string why_not(const Route& route, const kernel::KernelMade&) {
  if (route.type == RouteType::other) return "a spec cannot say its type";
  if (route.has_more) return "it says more than a spec can";
  const bool named = std::ranges::all_of(
      route.nexthops, [](const Nexthop& nexthop) { return !nexthop.dev || is_text(*nexthop.dev); });
  return named ? "" : not_utf8;
}

std::string why_not(const Rule& rule, const kernel::KernelMade&) {
  if (rule.has_more) return "it says more than a spec can";
  return is_text(rule.iif) && is_text(rule.oif) ? "" : not_utf8;
}

template <class K>
std::string why_not(const K& value, const kernel::KernelMade& /*made_by_kernel*/) {
  if constexpr (requires { why_not_in_spec(value); }) return why_not_in_spec(value);
  return {};
}

// ---- what comes and goes by itself --------------------------------------------------------------

/// That is the kernel's for certain: the rest of what KernelMade takes for it is named.
bool is_the_kernels(const Address& address, const kernel::KernelMade& made_by_kernel) {
  return address.protocol != IFAPROT_UNSPEC && made_by_kernel(address) && address.permanent;
}
bool is_the_kernels(const Route& route, const kernel::KernelMade& made_by_kernel) {
  return made_by_kernel(route);
}
bool is_the_kernels(const Rule& rule, const kernel::KernelMade&) {
  return rule.protocol == RTPROT_KERNEL;
}

template <class K>
void leave_out_the_kernels(State& state, const kernel::KernelMade& made_by_kernel,
                           std::string_view many, std::string& counts) {
  const auto count = std::erase_if(
      state.of<K>(), [&](const K& value) { return is_the_kernels(value, made_by_kernel); });
  if (count == 0) return;
  if (!counts.empty()) counts += ", ";
  counts += std::to_string(count) + ' ' + std::string(count == 1 ? K::kind_name : many);
}

// ---- the rest -----------------------------------------------------------------------------------

template <class K>
void leave_out(State& state, const kernel::KernelMade& made_by_kernel,
               std::vector<LeftOut>& left_out) {
  auto& values = state.of<K>();
  std::erase_if(values, [&](const K& value) {
    std::string why = why_not(value, made_by_kernel);
    if (why.empty()) return false;
    left_out.push_back({format(key(value)), std::move(why)});
    return true;
  });
  // IPv6 routes to one network through several links are several to the kernel.
  const auto same = [](const K& one, const K& other) { return key(one) == key(other); };
  for (auto it = std::adjacent_find(values.begin(), values.end(), same); it != values.end();
       it = std::adjacent_find(values.begin(), values.end(), same)) {
    left_out.push_back({format(key(*it)), "there are several, and a spec can say one"});
    values.erase(it + 1);
  }
}

void simplify(Link& link, std::vector<LeftOut>& left_out) {
  const auto tell = [&](std::string why) {
    left_out.push_back({format(key(link)), std::move(why)});
  };
  if (link.kind == LinkKind::veth && !peer_here(link)) {
    tell("its peer is in another network namespace, so `veth` is yours to say; here as physical");
    make_physical(link);
  } else if (link.kind != LinkKind::physical && !can_be_made(link.kind)) {
    const std::string kind(link.kind == LinkKind::other ? "its kind" : format(link.kind));
    tell("a spec cannot say " + kind + "; here as physical");
    make_physical(link);
  }
  if (link.mac && (link.mac->is_zero() || link.mac->is_multicast())) link.mac.reset();
  if (link.mtu && *link.mtu > most_mtu) {
    tell("its MTU, " + std::to_string(*link.mtu) + ", is more than a spec can say");
    link.mtu.reset();
  }
  if (!is_text(link.alias)) {
    tell("its alias is not UTF-8");
    link.alias.reset();
  }
}

/// A chain of others is seen as one that could be shared, too. A spec says it once: what is ours in
/// it when there is something, else all of it.
void settle_chains(State& state, bool everybodys, std::vector<LeftOut>& left_out) {
  std::erase_if(state.of<SharedChain>(), [&](const SharedChain& shared) {
    const bool has_ours = !shared.insert.empty() || !shared.append.empty();
    const Chain::Key whole{shared.family, shared.table, shared.name};
    const bool is_chain = state.find<Chain>(whole) != nullptr;
    if (!has_ours && (is_chain || !shared.policy)) return true;
    if (is_chain) std::erase_if(state.of<Chain>(), [&](const Chain& c) { return key(c) == whole; });
    if (everybodys && !shared.only_ours) {
      left_out.push_back({format(key(shared)), "the rules of others in it"});
    }
    return false;
  });
}

}  // namespace

Expressible expressible_part(State have, bool everybodys) {
  Expressible result{std::move(have), {}};
  State& state = result.state;
  const kernel::KernelMade made_by_kernel(state);
  std::string counts;
  leave_out_the_kernels<Address>(state, made_by_kernel, "addresses", counts);
  leave_out_the_kernels<Route>(state, made_by_kernel, "routes", counts);
  leave_out_the_kernels<Rule>(state, made_by_kernel, "rules", counts);
  if (!counts.empty()) result.left_out.push_back({counts, "the kernel makes them by itself"});
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    constexpr bool is_asked_for = K::asked == Asked::in_scope || K::asked == Asked::by_name;
    if constexpr (!is_asked_for) leave_out<K>(state, made_by_kernel, result.left_out);
  });
  settle_chains(state, everybodys, result.left_out);
  for (Link& link : state.of<Link>()) simplify(link, result.left_out);
  for (const WireGuard& device : state.of<WireGuard>()) {
    result.left_out.push_back(
        {format(key(device)), "its secret keys: put files of keys in the place of fingerprints"});
  }
  return result;
}

}  // namespace plumbline::spec
