// Options of a TAP. It is made by way of /dev/net/tun, so there is nothing to send here.

#include <linux/if_link.h>
#include <linux/if_tun.h>

#include "link_options.hpp"

namespace plumbline {

std::optional<TapOptions> tap_of(const wire::Entry& link) {
  const auto member = link.find("tap");
  if (!member || !member->is_object()) return std::nullopt;
  member->only({"owner", "group", "multiQueue", "vnetHeader"});
  constexpr std::int64_t last_id = UINT32_MAX - std::int64_t{1};  // the last one means nobody
  TapOptions tap;
  tap.owner = member->integer<std::uint32_t>("owner", 0, last_id);
  tap.group = member->integer<std::uint32_t>("group", 0, last_id);
  tap.multi_queue = member->boolean("multiQueue");
  tap.vnet_header = member->boolean("vnetHeader");
  return tap;
}

boost::json::object to_spec(const TapOptions& tap) {
  boost::json::object object;
  put(object, "owner", tap.owner);
  put(object, "group", tap.group);
  put(object, "multiQueue", tap.multi_queue);
  put(object, "vnetHeader", tap.vnet_header);
  return object;
}

void complete(TapOptions& want, const TapOptions& have) {
  take(want.owner, have.owner);
  take(want.group, have.group);
  want.multi_queue = have.multi_queue;
  want.vnet_header = have.vnet_header;
}

std::optional<TapOptions> read_tap(const wire::Attribute& data) {
  TapOptions options;
  bool is_tap = false;
  wire::for_each_attribute(data.payload(), [&](const wire::Attribute& attribute) {
    switch (attribute.type()) {
      case IFLA_TUN_TYPE:
        is_tap = attribute.u8() == IFF_TAP;
        break;
      case IFLA_TUN_OWNER:
        options.owner = attribute.u32();
        break;
      case IFLA_TUN_GROUP:
        options.group = attribute.u32();
        break;
      case IFLA_TUN_MULTI_QUEUE:
        options.multi_queue = attribute.u8() != 0;
        break;
      case IFLA_TUN_VNET_HDR:
        options.vnet_header = attribute.u8() != 0;
        break;
      default:
        break;
    }
  });
  if (!is_tap) return std::nullopt;
  return options;
}

}  // namespace plumbline
