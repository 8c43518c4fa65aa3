// VLANs, 802.1Q and 802.1ad (net/8021q). Priorities of packets (ip-link(8), `ingress-qos-map` and
// `egress-qos-map`) are left as they are.

#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_vlan.h>

#include <array>

#include "option_table.hpp"

namespace plumbline::detail {

namespace {

using Form = LinkOption::Form;

constexpr std::array protocols{LinkOption::Word{"802.1Q", ETH_P_8021Q},
                               LinkOption::Word{"802.1ad", ETH_P_8021AD}};

constexpr LinkOption flag(std::string_view member, std::uint32_t bit) {
  return {.member = member, .attribute = IFLA_VLAN_FLAGS, .form = Form::bit, .bit = bit};
}

// As vlan_validate() and vlan_changelink() in net/8021q/vlan_netlink.c take them: of what is there
// only the flags can be changed.
constexpr std::array vlan_options{
    LinkOption{.member = "protocol",
               .attribute = IFLA_VLAN_PROTOCOL,
               .form = Form::be16,
               .words = protocols,
               .fixed = true},
    LinkOption{.member = "id",
               .attribute = IFLA_VLAN_ID,
               .form = Form::u16,
               .most = 4094,
               .required = true,
               .fixed = true},
    flag("reorderHdr", VLAN_FLAG_REORDER_HDR),
    flag("gvrp", VLAN_FLAG_GVRP),
    flag("looseBinding", VLAN_FLAG_LOOSE_BINDING),
    flag("mvrp", VLAN_FLAG_MVRP),
    flag("bridgeBinding", VLAN_FLAG_BRIDGE_BINDING),
};
constexpr std::size_t protocol = 0;
constexpr std::size_t id = 1;
constexpr std::size_t loose_binding = 4;
static_assert(vlan_options[loose_binding].bit == VLAN_FLAG_LOOSE_BINDING);

class Vlan final : public TableType {
 public:
  constexpr Vlan() : TableType(LinkKind::vlan, vlan_options, Lower::required) {}

  /// vlan_dev_open() in net/8021q/vlan_dev.c
  [[nodiscard]] std::optional<NeedsLink> needs(const Link& link) const override {
    if (!link.device) return std::nullopt;
    return NeedsLink{*link.device, link.up == true && value(link, loose_binding) != 1U};
  }
  /// register_vlan_device() refuses a second one.
  [[nodiscard]] std::optional<LinkIdentity> identity(const Link& link) const override {
    const auto number = value(link, id);
    if (!number || !link.device) return std::nullopt;
    return LinkIdentity{"vlan " + std::to_string(value(link, protocol).value_or(ETH_P_8021Q)) +
                            ' ' + std::to_string(*number) + ' ' + format(*link.device),
                        "a VLAN of this id and protocol on the same link", "id"};
  }
};

const Vlan vlan;

}  // namespace

const LinkType& vlan_type() { return vlan; }

}  // namespace plumbline::detail
