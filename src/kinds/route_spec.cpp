// Routes as a spec writes them: an element of `routes`, in ip-route(8)'s words.

#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <utility>

#include "plumbline/kinds/route.hpp"
#include "route_facts.hpp"
#include "route_nexthops_spec.hpp"
#include "spec_words.hpp"

namespace plumbline {

namespace {

using wire::Entry;

/// What the kernel cuts larger values to (net/ipv4/metrics.c, ip_metrics_convert()).
constexpr std::int64_t max_mtu = 65535 - 15;
constexpr std::int64_t max_advmss = 65535 - 40;

struct ScopeName {
  std::string_view name;
  std::uint8_t number;
};
constexpr std::array<ScopeName, 5> scope_names{{{"global", RT_SCOPE_UNIVERSE},
                                                {"site", RT_SCOPE_SITE},
                                                {"link", RT_SCOPE_LINK},
                                                {"host", RT_SCOPE_HOST},
                                                {"nowhere", RT_SCOPE_NOWHERE}}};

std::optional<RouteType> type_word(const Entry& entry) {
  const auto text = entry.string();
  if (!text) return std::nullopt;
  for (const RouteType type : {RouteType::unicast, RouteType::local, RouteType::blackhole,
                               RouteType::unreachable, RouteType::prohibit}) {
    if (*text == format(type)) return type;
  }
  entry.error(Code::invalid_route,
              "expected unicast, local, blackhole, unreachable or prohibit, not '" + *text + "'");
  return std::nullopt;
}

std::optional<std::uint8_t> scope_word(const Entry& entry) {
  if (entry.node().get<std::string>() == nullptr) {
    const auto number = entry.integer(0, 255);
    if (!number) return std::nullopt;
    return static_cast<std::uint8_t>(*number);
  }
  const auto text = entry.string();
  if (!text) return std::nullopt;
  const auto found = std::ranges::find(scope_names, std::string_view(*text), &ScopeName::name);
  if (found != scope_names.end()) return found->number;
  entry.error(Code::invalid_route,
              "expected global, site, link, host, nowhere or a number, not '" + *text + "'");
  return std::nullopt;
}

/// What ip(8) chooses when none is given (iproute.c, iproute_modify()).
std::uint8_t default_scope(const Route& route) {
  if (route.family() == Family::inet6) return RT_SCOPE_UNIVERSE;
  if (route.type == RouteType::local) return RT_SCOPE_HOST;
  const bool direct = route.nexthops.size() == 1 && !route.nexthops.front().via;
  return route.type == RouteType::unicast && direct ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

/// As ip(8): what is local stands in the table local (iproute.c, iproute_modify()).
TableId default_table_of(RouteType type) {
  return type == RouteType::local ? local_table : main_table;
}

/// Of the destination, else of `family`, else what `src` or a gateway tells.
Family family_of(const Route& route, std::optional<Family> to, std::optional<Family> said) {
  if (to) return *to;
  if (said) return *said;
  if (route.src) return route.src->family();
  const auto via = std::ranges::find_if(
      route.nexthops, [](const Nexthop& nexthop) { return nexthop.via.has_value(); });
  return via == route.nexthops.end() ? Family::inet : via->via->family();
}

/// What the family allows. An IPv4 route may lead through an IPv6 gateway, as ip(8) writes
/// `via inet6`; an IPv6 route through an IPv4 gateway does not exist.
bool suits_family(const Entry& entry, const Route& route) {
  const auto refuse = [&](std::string_view word, std::string message) {
    entry.find(word).value_or(entry).error(Code::invalid_route, std::move(message));
    return false;
  };
  const Family family = route.family();
  if (route.src && route.src->family() != family) {
    return refuse("src", "`src` is not of the family of the route, " + std::string(format(family)));
  }
  if (family == Family::inet) return true;
  for (const Nexthop& nexthop : route.nexthops) {
    if (nexthop.via && nexthop.via->family() == Family::inet) {
      return refuse("via",
                    "an IPv6 route cannot lead through the IPv4 gateway " + format(*nexthop.via));
    }
    if (!nexthop.via && route.nexthops.size() > 1) {
      return refuse("nexthops", "each of several IPv6 nexthops needs `via`");
    }
  }
  if (entry.has("tos")) return refuse("tos", "IPv6 routes have no TOS");
  return true;
}

bool suits_type(const Entry& entry, const Route& route) {
  if (route.type != RouteType::local) return true;
  if (route.nexthops.size() == 1 && !route.nexthops.front().via) return true;
  entry.error(Code::invalid_route, "a local route needs `dev`, and takes no gateway");
  return false;
}

/// The scopes the kernel takes (net/ipv4/fib_semantics.c, fib_create_info()): a gateway has to be
/// nearer than where it leads, and what is local stays on the host.
bool suits_scope(const Entry& entry, const Route& route) {
  if (route.family() == Family::inet6) {
    if (route.scope == RT_SCOPE_UNIVERSE) return true;
    entry.error(Code::invalid_route, "IPv6 routes have no scope");
    return false;
  }
  const bool has_gateway = std::ranges::any_of(
      route.nexthops, [](const Nexthop& nexthop) { return nexthop.via.has_value(); });
  if (route.scope == RT_SCOPE_NOWHERE) {
    entry.error(Code::invalid_route, "no route can have the scope nowhere");
  } else if (has_gateway && route.scope >= RT_SCOPE_LINK) {
    entry.error(Code::invalid_route, "a route through a gateway leads beyond the link");
  } else if (route.type == RouteType::local && route.scope != RT_SCOPE_HOST) {
    entry.error(Code::invalid_route, "a local route has the scope host");
  } else {
    return true;
  }
  return false;
}

/// `to`, with the family in `family` unless it is the word default.
bool read_destination(const Entry& entry, Route& route, std::optional<Family>& family) {
  const auto member = entry.require("to");
  if (!member) return false;
  const auto* text = member->node().get<std::string>();
  if (text != nullptr && *text == "default") return true;
  const auto prefix = detail::prefix_word(*member, Code::invalid_route);
  if (!prefix) return false;
  route.to = *prefix;
  family = prefix->family();
  return true;
}

/// Members that stand for themselves.
bool read_numbers(const Entry& entry, Route& route) {
  const auto number = [](std::int64_t min, std::int64_t max) {
    return [min, max](const Entry& member) -> std::optional<std::uint32_t> {
      const auto value = member.integer(min, max);
      if (!value) return std::nullopt;
      return static_cast<std::uint32_t>(*value);
    };
  };
  const auto table = [](const Entry& word) {
    return detail::table_word(word, Code::invalid_route);
  };
  const auto tos = [](const Entry& word) { return detail::tos_word(word, Code::invalid_route); };
  bool good = detail::read_word(entry, "table", route.table, table);
  good &= detail::read_word(entry, "metric", route.metric, number(0, UINT32_MAX));
  good &= detail::read_word(entry, "tos", route.tos, tos);
  good &= detail::read_word(entry, "mtu", route.mtu, number(68, max_mtu));
  good &= detail::read_word(entry, "advmss", route.advmss, number(1, max_advmss));
  good &= detail::read_word(entry, "src", route.src, detail::host_word);
  return good;
}

}  // namespace

std::optional<Route> Route::from_spec(const wire::Entry& entry) {
  if (!entry.is_object()) return std::nullopt;
  entry.only({"to", "family", "via", "dev", "nexthops", "type", "table", "metric", "src", "scope",
              "onlink", "mtu", "advmss", "tos"});
  Route route;
  std::optional<Family> to;
  std::optional<Family> said;
  bool good = read_destination(entry, route, to);
  good &= detail::read_word(entry, "family", said, [](const Entry& word) {
    return detail::family_word(word, Code::invalid_route);
  });
  if (good && to && said && *to != *said) {
    entry.find("family")->error(Code::invalid_route,
                                "`to` is not of the family " + std::string(format(*said)));
    good = false;
  }
  good &= read_numbers(entry, route);
  const bool typed = detail::read_word(entry, "type", route.type, type_word);
  if (!entry.has("table")) route.table = default_table_of(route.type);
  good = typed && detail::read_nexthops(entry, route) && suits_type(entry, route) && good;
  std::optional<std::uint8_t> scope;
  good &= detail::read_word(entry, "scope", scope, scope_word);
  if (!good) return std::nullopt;

  if (!to) route.to = Prefix::any(family_of(route, to, said));
  route.scope = scope.value_or(default_scope(route));
  if (!suits_family(entry, route) || !detail::fits_into_a_dump(entry, route)) return std::nullopt;
  if (scope && !suits_scope(*entry.find("scope"), route)) return std::nullopt;
  if (route.family() == Family::inet6 && route.metric == 0)
    route.metric = detail::ipv6_default_metric;
  return route;
}

namespace {

boost::json::value scope_text(std::uint8_t scope) {
  const auto found = std::ranges::find(scope_names, scope, &ScopeName::number);
  if (found == scope_names.end()) return scope;
  return boost::json::string(found->name);
}

}  // namespace

boost::json::value to_spec(const Route& route) {
  const bool is_default = route.to.length() == 0;
  boost::json::object out;
  out["to"] = is_default ? "default" : format(route.to);
  if (is_default && family_of(route, std::nullopt, std::nullopt) != route.family()) {
    out["family"] = format(route.family());
  }
  if (route.type != RouteType::unicast) out["type"] = format(route.type);
  detail::put_nexthops(route, out);
  if (route.table != default_table_of(route.type)) out["table"] = detail::table_value(route.table);
  const std::uint32_t unsaid = route.family() == Family::inet6 ? detail::ipv6_default_metric : 0;
  if (route.metric != unsaid) out["metric"] = route.metric;
  if (route.src) out["src"] = format(*route.src);
  if (route.scope != default_scope(route)) out["scope"] = scope_text(route.scope);
  if (route.mtu != 0) out["mtu"] = route.mtu;
  if (route.advmss != 0) out["advmss"] = route.advmss;
  if (route.tos != 0) out["tos"] = route.tos;
  return out;
}

}  // namespace plumbline
