#include "route_nexthops_spec.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <set>
#include <utility>

#include "route_facts.hpp"
#include "spec_words.hpp"

namespace plumbline::detail {

namespace {

using wire::Entry;

/// `via`, `dev` and `onlink`, of the route itself or of one of its nexthops.
std::optional<Nexthop> nexthop_from(const Entry& entry) {
  Nexthop nexthop;
  bool good = true;
  if (const auto via = entry.find("via")) {
    nexthop.via = host_word(*via);
    good = nexthop.via.has_value();
  }
  if (const auto dev = entry.find("dev")) {
    nexthop.dev = link_word(*dev);
    good = good && nexthop.dev.has_value();
  }
  nexthop.onlink = entry.boolean("onlink").value_or(false);
  if (!good) return std::nullopt;
  if (nexthop.onlink && !(nexthop.via && nexthop.dev)) {
    entry.error(Code::invalid_route, "`onlink` needs both `via` and `dev`");
  } else if (nexthop.via && !nexthop.dev && is_link_local(*nexthop.via)) {
    entry.error(Code::invalid_route,
                "the link-local gateway " + format(*nexthop.via) + " needs `dev`");
  } else {
    return nexthop;
  }
  return std::nullopt;
}

/// struct rtnexthop, then RTA_GATEWAY, or RTA_VIA with a family before the address, padded.
std::size_t size_in_message(const Nexthop& nexthop, Family family) {
  constexpr std::size_t alone = 8;
  constexpr std::size_t header = 4;
  if (!nexthop.via) return alone;
  const bool is_foreign = nexthop.via->family() != family;
  return alone + header + nexthop.via->bytes().size() + (is_foreign ? 4 : 0);
}

std::optional<Nexthop> element_from(const Entry& entry) {
  if (!entry.is_object()) return std::nullopt;
  entry.only({"via", "dev", "weight", "onlink"});
  const auto weight = entry.integer<std::uint32_t>("weight", 1, 256);
  auto nexthop = nexthop_from(entry);
  if (!nexthop) return std::nullopt;
  nexthop->weight = weight.value_or(1);
  if (nexthop->via || nexthop->dev) return nexthop;
  entry.error(Code::invalid_route, "a nexthop needs `via` or `dev`");
  return std::nullopt;
}

/// Nothing when one of them is wrong.
std::optional<std::vector<Nexthop>> nexthops_from(const Entry& list) {
  if (!list.has_at_most(most_nexthops, "next hops", "share them out among several routes"))
    return std::nullopt;
  std::vector<Nexthop> nexthops;
  std::set<std::pair<std::optional<IpAddress>, std::optional<IfName>>> known;
  bool good = list.node().get<wire::Array>() != nullptr;
  std::size_t seen = 0;
  list.for_each_element([&](const Entry& entry) {
    ++seen;
    const auto nexthop = element_from(entry);
    if (!nexthop) {
      good = false;
    } else if (!known.emplace(nexthop->via, nexthop->dev).second) {
      entry.error(Code::invalid_route, "this nexthop is already there: give it a larger `weight`");
      good = false;
    } else {
      nexthops.push_back(*nexthop);
    }
  });
  if (good && seen == 0) {
    list.error(Code::invalid_route, "`nexthops` is empty");
    good = false;
  }
  if (!good) return std::nullopt;
  // The kernel keeps no weight of an only nexthop.
  if (nexthops.size() == 1) nexthops.front().weight = 1;
  std::ranges::sort(nexthops);
  return nexthops;
}

}  // namespace

std::optional<IpAddress> host_word(const Entry& entry) {
  auto address = entry.parsed<IpAddress>(Code::invalid_route, "an IP address");
  if (address && *address == IpAddress::any(address->family())) {
    entry.error(Code::invalid_route, "'" + format(*address) + "' is not the address of a host");
    return std::nullopt;
  }
  return address;
}

bool read_nexthops(const Entry& entry, Route& route) {
  const bool has_own = entry.has("via") || entry.has("dev") || entry.has("onlink");
  if (goes_nowhere(route.type)) {
    for (const char* word : {"via", "dev", "onlink", "nexthops", "src", "mtu", "advmss"}) {
      if (const auto member = entry.find(word)) {
        member->error(Code::invalid_route, "a " + std::string(format(route.type)) +
                                               " route goes nowhere and takes no `" + word + "`");
        return false;
      }
    }
    return true;
  }
  if (const auto list = entry.find("nexthops")) {
    if (has_own) {
      entry.error(Code::invalid_route,
                  "`nexthops` cannot stand beside `via`, `dev` or `onlink`: they go inside");
      return false;
    }
    auto nexthops = nexthops_from(*list);
    if (nexthops) route.nexthops = std::move(*nexthops);
    return nexthops.has_value();
  }
  const auto nexthop = nexthop_from(entry);
  if (!nexthop) return false;
  if (nexthop->via || nexthop->dev) {
    route.nexthops.push_back(*nexthop);
    return true;
  }
  entry.error(Code::invalid_route,
              "a " + std::string(format(route.type)) + " route needs `via`, `dev` or `nexthops`");
  return false;
}

bool fits_into_a_dump(const Entry& entry, const Route& route) {
  std::size_t size = 0;
  for (const Nexthop& nexthop : route.nexthops) size += size_in_message(nexthop, route.family());
  if (size <= most_nexthop_bytes) return true;
  const std::size_t most = most_nexthop_bytes / (size / route.nexthops.size());
  entry.find("nexthops")
      .value_or(entry)
      .error(Code::out_of_range,
             std::to_string(route.nexthops.size()) +
                 " next hops of this kind do not fit into a message of the kernel, " +
                 std::to_string(most) + " do: share them out among several routes");
  return false;
}

namespace {

void put_nexthop(const Nexthop& nexthop, boost::json::object& out) {
  if (nexthop.via) out["via"] = format(*nexthop.via);
  if (nexthop.dev) out["dev"] = format(*nexthop.dev);
  if (nexthop.onlink) out["onlink"] = true;
}

}  // namespace

void put_nexthops(const Route& route, boost::json::object& out) {
  if (route.nexthops.size() == 1) {
    put_nexthop(route.nexthops.front(), out);
  } else if (!route.nexthops.empty()) {
    boost::json::array list;
    for (const Nexthop& nexthop : route.nexthops) {
      boost::json::object element;
      put_nexthop(nexthop, element);
      if (nexthop.weight != 1) element["weight"] = nexthop.weight;
      list.push_back(std::move(element));
    }
    out["nexthops"] = std::move(list);
  }
}

}  // namespace plumbline::detail
