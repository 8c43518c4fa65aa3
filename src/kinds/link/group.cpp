#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <set>

#include "mark.hpp"
#include "plumbline/kinds/link_group.hpp"
#include "src/kinds/dump.hpp"

namespace plumbline {

namespace {

wire::Request group_message(std::uint16_t type, std::uint32_t index, std::uint32_t group) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index);
  wire::MessageBuilder message(type, 0);
  message.header(header).u32(IFLA_GROUP, group);
  return wire::NetlinkChange{std::move(message).finish()};
}

}  // namespace

LinkGroups::LinkGroups(const wire::Reply& links) {
  const wire::Request query = Link::queries({}).front();
  detail::for_each_dumped(query, links, RTM_NEWLINK, [&](const wire::Message& message) {
    std::uint32_t& group =
        groups_[static_cast<std::uint32_t>(message.fixed<ifinfomsg>().ifi_index)];
    message.attributes<ifinfomsg>([&](const wire::Attribute& attribute) {
      if (attribute.type() == IFLA_GROUP) group = attribute.u32();
    });
  });
}

std::optional<std::uint32_t> LinkGroups::group(std::uint32_t index) const {
  const auto found = groups_.find(index);
  if (found == groups_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::uint32_t> LinkGroups::unused() const {
  std::set<std::uint32_t> used;
  for (const auto& [index, group] : groups_) used.insert(group);
  for (std::uint32_t group = detail::first_leaving_group; group <= detail::last_leaving_group;
       ++group) {
    if (!used.contains(group)) return group;
  }
  return std::nullopt;
}

bool goes_with_its_group(const Link& link) { return link.kind == LinkKind::tap; }

wire::Request move_to_group(std::uint32_t index, std::uint32_t group) {
  return group_message(RTM_SETLINK, index, group);
}

wire::Request remove_group(std::uint32_t group) { return group_message(RTM_DELLINK, 0, group); }

}  // namespace plumbline
