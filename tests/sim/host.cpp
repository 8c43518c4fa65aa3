#include "tests/sim/host.hpp"

#include <cerrno>

#include "plumbline/base/family.hpp"

namespace plumbline::sim {

namespace {

template <class... Visitors>
struct Overload : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overload(Visitors...) -> Overload<Visitors...>;

wire::Reply carry_out(Kernel& kernel, const wire::Request& request) {
  NfTables& tables = kernel.there().nf_tables;
  return std::visit(Overload{
                        [&](const wire::NetlinkChange& it) { return kernel.change(it.message); },
                        [&](const wire::NetlinkDump& it) { return kernel.dump(it.message); },
                        [&](const wire::TapChange& it) { return kernel.change(it); },
                        [&](const wire::SysctlRead& it) { return kernel.read(it); },
                        [&](const wire::SysctlWrite& it) { return kernel.write(it); },
                        [&](const wire::FirewallDropTable& it) {
                          return drop_empty(tables, address_family(it.family), it.table);
                        },
                        [&](const wire::NetfilterQuery& it) { return answer(tables, it.message); },
                        [&](const wire::NftBatch& it) { return commit(tables, it); },
                        [](const wire::FirewallRivals&) { return wire::Reply(); },
                        [](const auto&) {
                          return wire::Reply{EOPNOTSUPP, "sim: not modelled", {}, {}};
                        },
                    },
                    request);
}

}  // namespace

std::vector<wire::Reply> Host::exchange(std::span<const wire::Request> requests) {
  std::vector<wire::Reply> replies;
  replies.reserve(requests.size());
  for (const wire::Request& request : requests) replies.push_back(carry_out(*kernel_, request));
  return replies;
}

}  // namespace plumbline::sim
