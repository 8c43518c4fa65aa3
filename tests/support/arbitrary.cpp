#include "tests/support/arbitrary.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <map>

namespace plumbline {

void showValue(const State& state, std::ostream& out) {
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    for (const K& value : state.of<K>()) {
      out << format(key(value)) << ' ' << boost::json::serialize(to_spec(value))
          << (is_marked(value, Mark()) ? " ours\n" : "\n");
    }
  });
}

}  // namespace plumbline

namespace plumbline::testing {

namespace {

IfName name(const std::string& text) { return *IfName::parse(text); }
IpAddress ip(const std::string& text) { return *IpAddress::parse(text); }

bool chance(int in_ten) { return *rc::gen::inRange(0, 10) < in_ten; }
int below(int end) { return *rc::gen::inRange(0, end); }
std::string digit(int end) { return std::to_string(below(end)); }

template <class T>
T pick(const std::vector<T>& values) {
  return values.at(static_cast<std::size_t>(below(static_cast<int>(values.size()))));
}

/// Gathers values, one of each key.
class Draw {
 public:
  explicit Draw(Universe universe) : universe_(universe) {}

  State run() {
    links();
    addresses();
    routes();
    rules();
    if (universe_.sysctls) sysctls();
    if (universe_.firewall) chains(iptables);
    if (universe_.ebtables) chains(ebtables);
    Kinds::for_each([&]<class K>(std::type_identity<K>) { dedupe<K>(); });
    return marked(std::move(state_));
  }

 private:
  template <class K>
  void add(const K& value) {
    state_.of<K>().push_back(value);
  }

  template <class K>
  void dedupe() {
    std::map<typename K::Key, K> unique;
    for (const K& value : state_.of<K>()) unique.emplace(key(value), value);
    state_.of<K>().clear();
    for (const auto& [ignored, value] : unique) state_.of<K>().push_back(value);
  }

  // ---- links

  Link basic(const std::string& text, LinkKind kind) {
    Link link;
    link.name = name(text);
    link.kind = kind;
    link.up = chance(8);
    if (chance(3)) link.mtu = pick<std::uint32_t>({1500, 1400, 1280, universe_.least_mtu});
    if (chance(1)) link.mac = Mac::parse("02:00:00:00:aa:0" + digit(4));
    if (chance(1)) link.alias = pick<std::string>({"web", "db"});
    names_.push_back(link.name);
    return link;
  }

  void join(Link& link) {
    if (bridges_.empty() || !chance(6)) return;
    link.master = pick(bridges_);
    if (!chance(4)) return;
    link.port = PortSettings();
    if (chance(7)) link.port->isolated = chance(5);
    if (chance(3)) link.port->learning = chance(5);
    if (chance(3)) link.port->cost = chance(5) ? 100 : 7;
  }

  void bridge(const std::string& text) {
    Link link = basic(text, LinkKind::bridge);
    if (chance(3)) link.bridge = BridgeOptions{{}, {}, {}, {}, chance(5), chance(5)};
    bridges_.push_back(link.name);
    add(link);
  }

  void tap(const std::string& text) {
    Link link = basic(text, LinkKind::tap);
    if (chance(3)) link.tap = TapOptions{chance(5) ? 1000U : 1001U, {}, {}, {}};
    join(link);
    add(link);
  }

  void veth(const std::string& first, const std::string& second) {
    for (const auto& [end, peer] : {std::pair(first, second), std::pair(second, first)}) {
      Link link = basic(end, LinkKind::veth);
      link.veth = VethOptions{name(peer)};
      if (end == first) join(link);
      add(link);
    }
  }

  /// Without an MTU of its own where it has a device, and without addresses: what it may have
  /// follows from the device's MTU.
  void vxlan(const std::string& text) {
    Link link = basic(text, LinkKind::vxlan);
    link.vxlan = VxlanOptions{static_cast<std::uint32_t>(below(3)), {}, {}, {}, {}, {}};
    const bool ipv4 = chance(7);
    if (chance(5)) link.vxlan->local = ip(ipv4 ? "192.0.2." + digit(3) : "2001:db8::1" + digit(3));
    if (chance(5))
      link.vxlan->remote = ip(ipv4 ? "192.0.2.9" + digit(3) : "2001:db8::2" + digit(3));
    if (chance(7)) link.vxlan->port = 4789;
    if (chance(3)) link.vxlan->learning = chance(5);
    join(link);
    if (chance(6)) {
      const IfName device = pick<IfName>({name("eth0"), name("eth1"), pick(names_)});
      if (device != link.name && device != link.master) link.vxlan->device = device;
    }
    const auto is_taken = [&](const Link& other) { return exclude_each_other(link, other); };
    while (std::ranges::any_of(state_.of<Link>(), is_taken)) ++*link.vxlan->id;
    // Its device limits it, also one that the kernel keeps where the spec names none any more.
    link.mtu.reset();
    if (link.vxlan->device) std::erase(names_, link.name);
    add(link);
  }

  void ifb(const std::string& text) {
    Link link = basic(text, LinkKind::ifb);
    join(link);
    add(link);
  }

  void physical(const std::string& text) {
    names_.push_back(name(text));
    if (!universe_.physical_settings || !chance(4)) return;
    Link link;
    link.name = name(text);
    if (chance(8)) link.up = chance(8);
    if (chance(4)) link.mtu = chance(5) ? 1400 : 1500;
    add(link);
  }

  void links() {
    if (chance(6)) bridge("br0");
    if (chance(4)) bridge("br1");
    const int kind = below(6);
    if (kind == 0) bridge("x0");
    if (kind == 1) tap("x0");
    if (kind == 2) veth("x0", "x1");
    if (kind == 3) ifb("x0");
    if (kind == 4) vxlan("x0");
    if (chance(5)) tap("tap0");
    if (chance(5)) veth("va", "vb");
    if (chance(4)) vxlan("vx0");
    physical("eth0");
    physical("eth1");
  }

  // ---- addresses and routes

  void addresses() {
    const int count = below(7);
    for (int i = 0; i < count; ++i) {
      Address address;
      address.link = pick(names_);
      const bool ipv4 = chance(6);
      const std::string text = ipv4 ? "10.0." + digit(3) + '.' + std::to_string(1 + below(4))
                                    : "fd00:" + digit(3) + "::" + std::to_string(1 + below(3));
      const auto wide = static_cast<std::uint8_t>(ipv4 ? 24 : 64);
      address.local = {ip(text), chance(8) ? wide : static_cast<std::uint8_t>(wide + 1)};
      locals_.push_back(address.local.address);
      add(address);
    }
  }

  std::optional<IpAddress> a_gateway(Family family) {
    return family == Family::inet ? ip("10.0." + digit(3) + ".254")
                                  : ip("fd00:" + digit(3) + "::fe");
  }

  Nexthop nexthop(Family family, bool needs_gateway) {
    Nexthop nexthop;
    if (needs_gateway || chance(6)) nexthop.via = a_gateway(family);
    if (!nexthop.via || needs_gateway || chance(6)) nexthop.dev = pick(names_);
    if (nexthop.via && nexthop.dev && family == Family::inet) nexthop.onlink = chance(1);
    return nexthop;
  }

  void routes() {
    const int count = below(7);
    for (int i = 0; i < count; ++i) {
      Route route;
      const Family family = chance(6) ? Family::inet : Family::inet6;
      const bool ipv4 = family == Family::inet;
      route.table = chance(7) ? main_table : TableId{100};
      const std::string to = ipv4 ? "10.9." + digit(3) + ".0/24" : "fd99:" + digit(3) + "::/64";
      route.to = chance(9) ? *Prefix::parse(to) : Prefix::any(family);
      route.metric = ipv4 ? (chance(7) ? 0 : 50) : (chance(7) ? 1024 : 50);
      if (chance(2)) {
        route.type = chance(5) ? RouteType::blackhole : RouteType::unreachable;
      } else if (chance(2)) {
        for (int j = 0; j < 2; ++j) route.nexthops.push_back(nexthop(family, true));
        std::sort(route.nexthops.begin(), route.nexthops.end());
        if (route.nexthops.front() == route.nexthops.back()) route.nexthops.pop_back();
      } else {
        route.nexthops.push_back(nexthop(family, false));
        source(route);
      }
      if (ipv4 && route.type == RouteType::unicast && route.nexthops.size() == 1 &&
          !route.nexthops.front().via) {
        route.scope = 253;  // RT_SCOPE_LINK, as ip-route(8) chooses it
      }
      if (chance(1)) route.mtu = 1300;
      add(route);
    }
  }

  void source(Route& route) {
    if (locals_.empty() || !chance(3)) return;
    const IpAddress address = pick(locals_);
    if (address.family() == route.family()) route.src = address;
  }

  // ---- the rest

  void rules() {
    const int count = below(4);
    for (int i = 0; i < count; ++i) {
      Rule rule;
      rule.priority = 1000U + static_cast<std::uint32_t>(below(3));
      rule.table = TableId{chance(5) ? 100U : 254U};
      if (chance(6)) rule.from = Prefix::parse("10.0." + digit(3) + ".0/24");
      if (chance(2)) rule.iif = format(pick(names_));
      if (chance(2)) {
        rule.fwmark = 1;
        rule.fwmask = 0xffffffff;
      }
      add(rule);
    }
  }

  void sysctls() {
    if (chance(3)) add(Sysctl{"net/ipv4/ip_forward", digit(2)});
    const int count = below(3);
    for (int i = 0; i < count; ++i) {
      add(Sysctl{"net/ipv4/conf/" + format(pick(names_)) + "/rp_filter", digit(3)});
    }
  }

  /// Chains of one table, and what its rules match besides: a digit and `after` follow.
  struct Firewall {
    Family family;
    const char* table;
    std::vector<const char*> shared;  ///< the last is somebody else's
    std::vector<const char*> matches;
    const char* after;
  };
  inline static const Firewall iptables{
      Family::inet, "filter", {"FORWARD", "INPUT", "DOCKER-USER"}, {"-s 10.0."}, ".0/24"};
  /// Rules of one match and of two, which carry our mark in different ways.
  inline static const Firewall ebtables{
      Family::bridge,
      "nat",
      {"PREROUTING", "POSTROUTING", "THEIRS"},
      {"-s 02:00:00:00:00:0", "-p IPv4 --limit 3/sec --limit-burst 5 --ip-src 10.0.0."},
      ""};

  [[nodiscard]] static std::string match(const Firewall& firewall) {
    return pick(firewall.matches) + digit(3) + firewall.after;
  }

  void chains(const Firewall& firewall) {
    const std::vector<std::string> all{"A", "B", "C"};
    std::vector<std::string> made;
    for (const std::string& text : all) {
      if (!chance(5)) continue;
      RuleList::Rules rules;
      if (!made.empty() && chance(6)) rules.emplace_back("-j " + pick(made));
      if (chance(7)) rules.emplace_back(match(firewall) + " -j ACCEPT");
      if (chance(3)) rules.emplace_back("-j DROP");
      made.push_back(text);
      add(Chain{firewall.family, firewall.table, text, std::move(rules), false});
    }
    for (const char* text : firewall.shared) {
      if (!chance(3)) continue;
      SharedChain chain;
      chain.family = firewall.family;
      chain.table = firewall.table;
      chain.name = text;
      if (!made.empty() && chance(7)) chain.insert = {"-j " + pick(made)};
      if (chance(4)) chain.append = {match(firewall) + " -j DROP"};
      if (text != firewall.shared.back() && chance(3)) {
        chain.policy = chance(5) ? "DROP" : "ACCEPT";
      }
      if (chain.policy || !chain.insert.empty() || !chain.append.empty()) add(chain);
    }
  }

  Universe universe_;
  State state_;
  std::vector<IfName> names_;
  std::vector<IfName> bridges_;
  std::vector<IpAddress> locals_;
};

constexpr std::uint8_t boot_protocol = 3;  // RTPROT_BOOT: what ip-route(8) makes

Resource foreign_address(const IfName& link) {
  Address address;
  address.link = link;
  address.local = *InterfaceAddress::parse(chance(6) ? "10.0." + digit(3) + ".9/24"
                                                     : "fd00:" + digit(3) + "::9/64");
  return address;
}

Resource foreign_route(const IfName& link) {
  Route route;
  route.protocol = boot_protocol;
  const bool ipv4 = chance(6);
  route.to = *Prefix::parse(ipv4 ? "10.8." + digit(2) + ".0/24" : "fd98:" + digit(2) + "::/64");
  route.metric = ipv4 ? 0 : 1024;
  route.scope = ipv4 ? 253 : 0;
  route.nexthops.push_back({std::nullopt, link, 1, false});
  return route;
}

/// Has the identity of what a spec may want, so that it is in the way of it.
Resource in_the_way() {
  if (chance(5)) {
    Address address;
    address.link = name("eth0");
    address.local = *InterfaceAddress::parse("10.0." + digit(3) + ".1/24");
    return address;
  }
  Route route;
  route.protocol = boot_protocol;
  route.to = *Prefix::parse("10.9." + digit(3) + ".0/24");
  route.type = RouteType::blackhole;
  return route;
}

}  // namespace

State marked(State state) {
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    for (K& value : state.of<K>()) value = with_mark(value, Mark());
  });
  state.sort();
  return state;
}

rc::Gen<State> wanted_states(Universe universe) {
  return rc::gen::exec([universe] { return Draw(universe).run(); });
}

rc::Gen<std::vector<Resource>> foreign_objects(const State& host) {
  std::vector<IfName> links;
  for (const Link& link : host.of<Link>()) links.push_back(link.name);
  return rc::gen::exec([links] {
    std::vector<Resource> objects;
    const int count = below(4);
    for (int i = 0; i < count; ++i) {
      objects.push_back(chance(5) ? foreign_address(pick(links)) : foreign_route(pick(links)));
    }
    if (chance(3)) {
      Link tap;
      tap.name = name("ftap");
      tap.kind = LinkKind::tap;
      if (chance(5)) tap.master = pick(links);
      objects.emplace_back(tap);
    }
    if (chance(2)) {
      Rule rule;
      rule.priority = 1001;
      rule.protocol = boot_protocol;
      rule.table = TableId{100};
      objects.emplace_back(rule);
    }
    if (chance(5)) {
      objects.emplace_back(Chain{Family::inet, "filter", "DOCKER-USER", {"-j RETURN"}, false});
    }
    if (chance(3)) {
      objects.emplace_back(Chain{Family::bridge, "nat", "THEIRS", {"-j RETURN"}, false});
    }
    if (chance(1)) objects.push_back(in_the_way());
    return objects;
  });
}

rc::Gen<State> shuffled(const State& state) {
  return rc::gen::exec([state] {
    State other = state;
    Kinds::for_each([&]<class K>(std::type_identity<K>) {
      auto& values = other.of<K>();
      for (std::size_t i = values.size(); i > 1; --i) {
        std::swap(values[i - 1], values[static_cast<std::size_t>(below(static_cast<int>(i)))]);
      }
    });
    return other;
  });
}

}  // namespace plumbline::testing
