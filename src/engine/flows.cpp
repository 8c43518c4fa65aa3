#include "plumbline/engine/flows.hpp"

#include <algorithm>
#include <cerrno>
#include <set>
#include <system_error>

#include "plumbline/wire/conntrack.hpp"

namespace plumbline::engine {

namespace {

/// What fits into the receive buffer if every one of them fails.
constexpr std::size_t most_at_once = 128;

struct Touched {
  Prefix subnet;
  bool nat = false;      ///< what leaves is to have another source
  bool inbound = false;  ///< what comes in is judged
};

bool is_of_guests(const Key& key) {
  if (const auto* chain = std::get_if<Chain::Key>(&key)) return chain->family == Family::inet;
  const auto* shared = std::get_if<SharedChain::Key>(&key);
  return shared != nullptr && shared->family == Family::inet;
}

std::vector<Touched> touched_networks(const Plan& plan, const spec::Desired& desired) {
  std::set<std::string> names;
  for (const Step& step : plan.steps) {
    if (is_of_guests(step.key)) names.insert(step.networks.begin(), step.networks.end());
  }
  std::vector<Touched> touched;
  for (const spec::AssignedNetwork& assigned : desired.assigned) {
    const spec::Network& network = assigned.network;
    if (!names.contains(format(network.bridge))) continue;
    const spec::NetworkFirewall& firewall = network.firewall;
    touched.push_back(
        {network.subnet, network.nat, firewall.egress.has_value() || firewall.ingress.has_value()});
  }
  return touched;
}

std::set<IpAddress> addresses_of_host(const State& have, const State& want) {
  std::set<IpAddress> own;
  for (const State* state : {&have, &want}) {
    for (const Address& address : state->of<Address>()) own.insert(address.local.address);
  }
  return own;
}

bool is_outdated(const wire::Flow& flow, const Touched& network) {
  const bool from_guest = network.subnet.contains(flow.from);
  const bool to_guest = network.subnet.contains(flow.to);
  if (from_guest == to_guest) return false;
  return from_guest ? network.nat && !flow.has_source_nat()
                    : network.inbound && !flow.has_destination_nat();
}

wire::Request deletion(std::span<const wire::Flow> flows) {
  wire::NetfilterChange change;
  for (const wire::Flow& flow : flows) {
    change.messages.insert(change.messages.end(), flow.deletion.begin(), flow.deletion.end());
  }
  return change;
}

std::string words_for(const wire::Reply& reply) {
  return "flows from before cannot be ended: " + std::generic_category().message(reply.error);
}

}  // namespace

std::string forget_flows(io::Host& host, const Plan& plan, const spec::Desired& desired,
                         const State& have) {
  const std::vector<Touched> networks = touched_networks(plan, desired);
  if (networks.empty()) return {};
  const wire::Request question = wire::NetfilterQuery{wire::flow_dump()};
  const wire::Reply answer = host.exchange({&question, 1}).front();
  if (answer.error != 0) return words_for(answer);
  const std::set<IpAddress> own = addresses_of_host(have, desired.state);
  std::vector<wire::Flow> outdated;
  for (wire::Flow& flow : wire::read_flows(answer.bytes)) {
    // Without its flow, the host's answer to a guest would be the packet that begins one, and what
    // the guest may no longer say would answer it.
    if (own.contains(flow.from) || own.contains(flow.to)) continue;
    const auto is_of = [&](const Touched& network) { return is_outdated(flow, network); };
    if (std::ranges::any_of(networks, is_of)) outdated.push_back(std::move(flow));
  }
  std::vector<wire::Request> requests;
  for (std::size_t first = 0; first < outdated.size(); first += most_at_once) {
    const std::size_t count = std::min(most_at_once, outdated.size() - first);
    requests.push_back(deletion(std::span(outdated).subspan(first, count)));
  }
  for (const wire::Reply& reply : host.exchange(requests)) {
    // ENOENT: it ended by itself meanwhile.
    if (reply.error != 0 && reply.error != ENOENT) return words_for(reply);
  }
  return {};
}

}  // namespace plumbline::engine
