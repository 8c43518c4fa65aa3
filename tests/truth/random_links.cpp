#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include "tests/truth/random_requests.hpp"

namespace plumbline::sim {

namespace {

using wire::MessageBuilder;

wire::Request change(MessageBuilder message) {
  return wire::NetlinkChange{std::move(message).finish()};
}

constexpr std::initializer_list<const char*> names{"br0", "br1", "v0", "v1", "v2", "v3",
                                                   "x0",  "x1",  "i0", "t0", "t1", "alt0"};

std::vector<std::byte> random_mac(Chance& chance) {
  const auto last = static_cast<unsigned char>(chance.below(4));
  const std::array<unsigned char, 6> bytes{
      chance.one_in(15) ? chance.pick<unsigned char>({1, 0}) : static_cast<unsigned char>(2),
      0,
      0,
      0,
      0,
      last};
  const auto span = std::as_bytes(std::span(bytes));
  std::vector<std::byte> mac(span.begin(), span.end());
  if (chance.one_in(40)) mac.resize(4);
  return mac;
}

std::uint32_t random_mtu(Chance& chance) {
  return chance.pick<std::uint32_t>({1500, 1400, 9000, 1300, 1280, 1200, 68, 70000});
}

/// What any link may be given, when it is made or later.
void put_common(MessageBuilder& message, const Namespace& there, Chance& chance, bool is_new,
                bool may_shrink = true) {
  if (may_shrink && chance.one_in(is_new ? 4 : 6)) message.u32(IFLA_MTU, random_mtu(chance));
  if (chance.one_in(is_new ? 2 : 8)) message.bytes(IFLA_ADDRESS, random_mac(chance));
  if (chance.one_in(8)) message.u32(IFLA_TXQLEN, chance.pick<std::uint32_t>({0, 500}));
  if (chance.one_in(8)) message.u32(IFLA_GROUP, chance.pick<std::uint32_t>({0, 9}));
  if (chance.one_in(8)) message.string(IFLA_IFALIAS, chance.pick({"an alias", ""}));
  if (chance.one_in(is_new ? 6 : 3)) {
    const bool none = chance.one_in(4);
    message.u32(IFLA_MASTER, none ? 0 : static_cast<std::uint32_t>(random_index(there, chance)));
  }
}

void put_bridge(MessageBuilder& data, Chance& chance, const Possible& possible) {
  if (chance.one_in(3)) {
    data.u32(IFLA_BR_FORWARD_DELAY, chance.pick<std::uint32_t>({0, 200, 1500, 3500}));
  }
  if (chance.one_in(3)) data.u32(IFLA_BR_AGEING_TIME, chance.pick<std::uint32_t>({0, 30000, 500}));
  if (chance.one_in(4)) data.u32(IFLA_BR_STP_STATE, chance.pick<std::uint32_t>({0, 1}));
  if (chance.one_in(4)) data.u8(IFLA_BR_MCAST_SNOOPING, chance.pick<std::uint8_t>({0, 1}));
  if (possible.vlan_filtering && chance.one_in(5)) {
    data.u8(IFLA_BR_VLAN_FILTERING, chance.pick<std::uint8_t>({0, 1}));
  }
  if (chance.one_in(5)) {
    const br_boolopt_multi option{chance.pick<std::uint32_t>({0, 1U << BR_BOOLOPT_NO_LL_LEARN}),
                                  1U << BR_BOOLOPT_NO_LL_LEARN};
    data.bytes(IFLA_BR_MULTI_BOOLOPT, std::as_bytes(std::span(&option, 1)));
  }
}

void put_vxlan(MessageBuilder& data, const Namespace& there, Chance& chance, bool is_new) {
  if (is_new) {
    data.u32(IFLA_VXLAN_ID, chance.pick<std::uint32_t>({5, 6, 7, 1U << 24U}));
    data.u16(IFLA_VXLAN_PORT, htons(chance.pick<std::uint16_t>({4789, 8472})));
    if (chance.one_in(2)) {
      data.u32(IFLA_VXLAN_LINK, static_cast<std::uint32_t>(random_index(there, chance)));
    }
  }
  if (chance.one_in(2)) {
    data.address(IFLA_VXLAN_LOCAL,
                 *IpAddress::parse(chance.pick({"10.1.0.1", "10.1.0.2", "239.1.1.1"})));
  }
  if (chance.one_in(2)) {
    data.address(IFLA_VXLAN_GROUP, *IpAddress::parse(chance.pick({"192.0.2.1", "192.0.2.2"})));
  }
  if (chance.one_in(3)) data.u8(IFLA_VXLAN_LEARNING, chance.pick<std::uint8_t>({0, 1}));
}

void put_port(MessageBuilder& data, Chance& chance) {
  if (chance.one_in(3)) data.u8(IFLA_BRPORT_ISOLATED, chance.pick<std::uint8_t>({0, 1}));
  if (chance.one_in(3)) data.u8(IFLA_BRPORT_LEARNING, chance.pick<std::uint8_t>({0, 1}));
  if (chance.one_in(3)) data.u8(IFLA_BRPORT_MODE, chance.pick<std::uint8_t>({0, 1}));
  if (chance.one_in(3)) data.u32(IFLA_BRPORT_COST, chance.pick<std::uint32_t>({0, 4, 100, 65536}));
  if (chance.one_in(3)) data.u16(IFLA_BRPORT_PRIORITY, chance.pick<std::uint16_t>({5, 63, 64}));
  if (chance.one_in(3)) data.u16(IFLA_BRPORT_GROUP_FWD_MASK, chance.pick<std::uint16_t>({8, 2}));
}

wire::Request random_new_link(const Namespace& there, Chance& chance, const Possible& possible) {
  const std::string name = chance.pick(names);
  std::string kind = name.starts_with("br")  ? "bridge"
                     : name.starts_with('v') ? "veth"
                     : name.starts_with('x') ? "vxlan"
                                             : "ifb";
  if (chance.one_in(30)) kind = chance.pick({"nokind", "bridge", "tun"});
  MessageBuilder message(RTM_NEWLINK, chance.one_in(15) ? NLM_F_CREATE : NLM_F_CREATE | NLM_F_EXCL);
  ifinfomsg header{};
  if (chance.one_in(4)) header.ifi_flags = header.ifi_change = IFF_UP;
  message.header(header).string(IFLA_IFNAME, name);
  put_common(message, there, chance, true);
  message.nest(IFLA_LINKINFO, [&](MessageBuilder& info) {
    info.string(IFLA_INFO_KIND, kind);
    if (kind == "ifb" || kind == "nokind") return;
    info.nest(IFLA_INFO_DATA, [&](MessageBuilder& data) {
      if (kind == "bridge") put_bridge(data, chance, possible);
      if (kind == "vxlan") put_vxlan(data, there, chance, true);
      if (kind != "veth") return;
      const std::string peer = name == "v0" ? "v1" : name == "v2" ? "v3" : chance.pick(names);
      data.nest(
          VETH_INFO_PEER,
          [&](MessageBuilder& end) {
            const ifinfomsg nothing{};
            end.append(&nothing, sizeof nothing);
            end.string(IFLA_IFNAME, peer);
            if (chance.one_in(2)) end.bytes(IFLA_ADDRESS, random_mac(chance));
            if (chance.one_in(4)) end.u32(IFLA_GROUP, 9);
            if (chance.one_in(8)) end.u32(IFLA_MTU, random_mtu(chance));
          },
          false);
    });
  });
  return change(std::move(message));
}

wire::Request random_options(const Namespace& there, Chance& chance, const Possible& possible) {
  const int index = random_index(there, chance);
  const auto found = there.devices.find(index);
  const std::string kind = found == there.devices.end() ? "bridge" : found->second.kind;
  MessageBuilder message(RTM_NEWLINK, 0);
  ifinfomsg header{};
  header.ifi_index = index;
  message.header(header);
  message.nest(IFLA_LINKINFO, [&](MessageBuilder& info) {
    if (chance.one_in(2)) {
      info.string(IFLA_INFO_SLAVE_KIND, "bridge");
      info.nest(IFLA_INFO_SLAVE_DATA, [&](MessageBuilder& data) { put_port(data, chance); });
      return;
    }
    const bool has_data = kind == "bridge" || kind == "vxlan";
    info.string(IFLA_INFO_KIND, chance.one_in(8) || !has_data ? "bridge" : kind);
    info.nest(IFLA_INFO_DATA, [&](MessageBuilder& data) {
      if (kind == "vxlan") return put_vxlan(data, there, chance, false);
      put_bridge(data, chance, possible);
    });
  });
  return change(std::move(message));
}

wire::Request random_tap(Chance& chance) {
  wire::TapChange tap;
  tap.action =
      chance.one_in(3) ? wire::TapChange::Action::set_owner : wire::TapChange::Action::create;
  tap.name = *IfName::parse(chance.pick({"t0", "t1", "t1", "v0"}));
  if (chance.one_in(2)) tap.owner = chance.pick<std::uint32_t>({0, 1000, UINT32_MAX});
  if (chance.one_in(3)) tap.group = 1001;
  tap.multi_queue = chance.one_in(4);
  tap.vnet_header = chance.one_in(3);
  if (chance.one_in(2)) tap.alias = "a tap";
  return tap;
}

}  // namespace

wire::Request random_link_request(const Namespace& there, Chance& chance,
                                  const Possible& possible) {
  const std::size_t roll = chance.below(40);
  if (roll < 13) return random_new_link(there, chance, possible);
  if (roll < 17) return random_options(there, chance, possible);
  if (roll < 20 && possible.taps) return random_tap(chance);
  ifinfomsg header{};
  header.ifi_index = random_index(there, chance);
  if (roll < 21) {
    MessageBuilder message(RTM_DELLINK, 0);
    if (chance.one_in(6)) {
      header.ifi_index = 0;
      message.header(header);
      if (chance.one_in(2)) message.u32(IFLA_GROUP, chance.pick<std::uint32_t>({9, 0, 17}));
      return change(std::move(message));
    }
    return change(std::move(message.header(header)));
  }
  if (roll < 24) {
    MessageBuilder message(chance.one_in(3) ? RTM_DELLINKPROP : RTM_NEWLINKPROP,
                           NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND);
    message.header(header);
    message.nest(IFLA_PROP_LIST, [&](MessageBuilder& list) {
      list.string(IFLA_ALT_IFNAME,
                  chance.pick({"alt0", "alt1", "br0", "a-longer-name-than-links"}));
    });
    return change(std::move(message));
  }
  if (!chance.one_in(3)) {
    header.ifi_change = IFF_UP;
    header.ifi_flags = chance.one_in(4) ? 0U : static_cast<unsigned>(IFF_UP);
  }
  const bool named = chance.one_in(6);
  if (named) header.ifi_index = 0;
  MessageBuilder message(RTM_SETLINK, 0);
  message.header(header);
  if (named) message.string(IFLA_IFNAME, chance.pick(names));
  // What is left of IPv6 on a loopback that is too small for it is not modelled.
  const bool is_loopback = !named && header.ifi_index == 1;
  if (chance.one_in(2)) put_common(message, there, chance, false, !is_loopback);
  return change(std::move(message));
}

}  // namespace plumbline::sim
