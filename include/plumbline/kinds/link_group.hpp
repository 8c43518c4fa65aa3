// Removing many links at a time: by their interface group.
//
// The kernel waits for all its processors once per removal, not once per link (rtnl_group_dellink()
// in net/core/rtnetlink.c): TAPs go 20 times faster this way. Only says which messages do it;
// engine/link_removal.cpp is who sends them, and in which order.

#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "plumbline/kinds/link.hpp"

namespace plumbline {

/// Every group that a guest's TAP is ever in, while it is removed too, is guest_group but for bits
/// that are not in here. What else is of ours and in one of these groups is not up.
inline constexpr std::uint32_t guest_group_mask = 0xffffffe0;

/// Where every link is, from one dump.
class LinkGroups {
 public:
  /// Of the reply to the first of Link::queries(). Throws wire::Malformed.
  explicit LinkGroups(const wire::Reply& links);

  /// Nothing when there is no such link.
  [[nodiscard]] std::optional<std::uint32_t> group(std::uint32_t index) const;
  /// A number of ours for links that are about to be removed, in which there is no link at all.
  [[nodiscard]] std::optional<std::uint32_t> unused() const;

 private:
  std::map<std::uint32_t, std::uint32_t> groups_;  ///< by index
};

/// Whether removing it by its group is worth it. Of bridges it is not: the kernel waits for each of
/// them while nobody else can change any link (br_dev_delete() in net/bridge/br_if.c).
[[nodiscard]] bool goes_with_its_group(const Link& link);

[[nodiscard]] wire::Request move_to_group(std::uint32_t index, std::uint32_t group);
/// Every link in it, whoever's: ENODEV when there is none.
[[nodiscard]] wire::Request remove_group(std::uint32_t group);

}  // namespace plumbline
