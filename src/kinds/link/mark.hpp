// How a link carries our mark: an alias that starts with it and, until that can be set, a group.
//
// IFLA_IFALIAS is ignored in the message that makes a link, IFLA_GROUP is not (rtnl_create_link()
// in net/core/rtnetlink.c). So a link is made in a group of ours, and the next message sets the
// alias and puts it back into group 0, or that of guests (guest_group). Whatever ends us in
// between, the link is known as ours. Links that are about to be removed go into another group
// (link_group.hpp); one that was left in it is put right as one without its alias is.
//
// A guest's TAP is known by its group as well: whoever gives it an alias of their own does not take
// it away from us. Which guest it is for is then known from the copy of its assignment.

#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "plumbline/kinds/link_group.hpp"

namespace plumbline::detail {

/// IFLA_GROUP of a link of ours that has no alias yet: "PLMB".
inline constexpr std::uint32_t unfinished_group = 0x504c4d42;
/// IFLA_GROUP of links of ours that are about to be removed: the first of these that no link has.
inline constexpr std::uint32_t first_leaving_group = unfinished_group + 1;
inline constexpr std::uint32_t last_leaving_group = first_leaving_group + 15;
static_assert(guest_group == last_leaving_group + 1);
static_assert((first_leaving_group & guest_group_mask) == (guest_group & guest_group_mask));
/// The alias is this, the assignment of a network's TAP, `;` and the user's part.
inline constexpr std::string_view alias_mark = "plumbline:1;";
/// IFALIASZ less the NUL (include/uapi/linux/if.h).
inline constexpr std::size_t longest_alias = 255;

/// The whole of IFLA_IFALIAS, at most 255 bytes.
[[nodiscard]] std::string alias_text(const Link& link);

/// IFLA_GROUP and IFLA_IFALIAS of a link of ours that has no alias: its making is not finished or,
/// where there is an assignment still, its removal.
[[nodiscard]] std::pair<std::uint32_t, std::string> unfinished_mark(const Link& link);

/// Sets `marked` and `alias` from what the kernel has, which the kind was read from before. A
/// `physical` link is never ours, whatever is written on it. A link
/// of ours whose marking is not finished, or whose removal is not, or a guest's TAP that is not in
/// its group, has lost its alias or answers ARP, gets no alias at all, so that finishing it is a
/// change to be made.
void read_mark(Link& link, std::string_view alias, std::uint32_t group, bool speaks_arp);

}  // namespace plumbline::detail
