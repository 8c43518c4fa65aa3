#include "plumbline/kernel/making.hpp"

#include "routes_to_come.hpp"

namespace plumbline::kernel {

Making::Making(const State& have, const State& want, const Mark& mark)
    : have_(have), want_(want), routes_(routes_to_come(have, want, mark)) {
  for (const Link& link : have.of<Link>()) {
    for (const std::string& name : link.altnames.names) altnames_.emplace(name, &link);
  }
}

/// The kernel resolves alternative names wherever a name is looked up, and makes no link of one
/// (__dev_alloc_name() and rtnl_newlink() in net/core).
Making::Answer Making::of(const Link& want) const {
  if (want.kind == LinkKind::physical) return {Way::wait, format(Need{NeedsLink{want.name}})};
  const auto found = altnames_.find(want.name.view());
  if (found == altnames_.end()) return {};
  const std::string other = format(found->second->name);
  return {Way::refuse, ": the name is an alternative name of " + other +
                           ": choose another, or take it away from that link (ip link property "
                           "del dev " +
                           other + " altname " + format(want.name) + ")"};
}

Making::Answer Making::of(const Address& want) const {
  if (!comes_with_loopback(have_, want_, want)) return {};
  return {Way::comes, " comes with the link: the kernel makes it"};
}

Making::Answer Making::of(const Route& want) const {
  const auto made = routes_.find(key(want));
  if (made == routes_.end()) return {};
  return {Way::refuse,
          ": a route of this table, destination and metric is made by the kernel itself for " +
              format(key(made->second)) + ": leave it out, or give it another metric"};
}

Making::Answer Making::of(const Sysctl& want) const {
  const auto link = link_of(want.path);
  const bool link_is_there = link && have_.find<Link>({*link}) != nullptr;
  return {link_is_there && holds_where_absent(want) ? Way::needless : Way::make};
}

}  // namespace plumbline::kernel
