// Routes of a simulated namespace: what rtnetlink(7) lets be added, replaced and removed, and what
// the kernel adds and takes away by itself.

#pragma once

#include <optional>

#include "plumbline/wire/netlink.hpp"
#include "tests/sim/namespace.hpp"

namespace plumbline::sim {

void new_route(Namespace& there, const wire::Message& message);
void remove_route(Namespace& there, const wire::Message& message);
/// Of one family; the header may ask for one table and one type.
[[nodiscard]] wire::Bytes dump_routes(const Namespace& there, const wire::Message& request);

// ---- a message of one route (route_message.cpp) -------------------------------------------------

/// What a message says, nothing of it judged.
struct RouteRequest {
  Route route;
  bool multipath = false;
  bool has_device = false;
  bool has_gateway = false;
  bool via = false;         ///< by RTA_VIA
  std::uint16_t flags = 0;  ///< NLM_F_…
};
/// Refuses what no route of the family can have.
[[nodiscard]] RouteRequest read_route(const wire::Message& message, Family family);

// ---- IPv4 (routes.cpp), IPv6 (routes6.cpp) ------------------------------------------------------

void add_inet_route(Namespace& there, RouteRequest request);
void add_inet6_route(Namespace& there, RouteRequest request);
/// Whether packets over that link may have the IPv6 address as their source: one that means
/// something on one link only counts there (ipv6_chk_addr()).
[[nodiscard]] bool may_be_source(const Namespace& there, const IpAddress& address, int device);
/// Of a nexthop of any family: finds its link.
void check_inet6_gateway(Namespace& there, std::uint32_t table, Nexthop& nexthop);
void remove_inet_route(Namespace& there, const RouteRequest& request);
void remove_inet6_route(Namespace& there, const RouteRequest& request);

/// The place of a new route among others of its table: the order of a dump.
[[nodiscard]] bool comes_before(const Route& one, const Route& other);
/// Whether all is equal that makes two routes stand at one place.
[[nodiscard]] bool same_place(const Route& one, const Route& other);

/// One of the kernel's own; nothing happens where it is there already.
void add_own(Namespace& there, const Route& route);
void remove_own_inet(Namespace& there, const Route& route);
void remove_own_inet6(Namespace& there, const Route& route);

// ---- what goes with links and addresses (route_losses.cpp) --------------------------------------

enum class Loss : std::uint8_t {
  of_link,       ///< it went down
  of_addresses,  ///< IPv4: it has no address any more
  for_good,      ///< it is unregistered
};
void lose_routes(Namespace& there, Family family, int device, Loss loss);
/// Ways over the link that were dead live again.
void revive_routes(Namespace& there, Family family, int device);
/// The address is no local one any more.
void source_gone(Namespace& there, const IpAddress& address);

// ---- which way a packet would take (lookup.cpp) -------------------------------------------------

struct Flow {
  IpAddress to;
  int device = 0;  ///< that it has to leave through; 0: any
  std::uint8_t scope = 0;
};
struct Way {
  const Route* route = nullptr;
  const Nexthop* nexthop = nullptr;
  int error = 0;  ///< no way: an errno
};
[[nodiscard]] Way look_up(const Namespace& there, const Flow& flow);
/// In one table, without policy rules.
[[nodiscard]] Way look_up_in(const Namespace& there, const Flow& flow, std::uint32_t table);

}  // namespace plumbline::sim
