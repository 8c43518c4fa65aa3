#include "plumbline/firewall/commit/conntrack_flush.hpp"

#include <algorithm>
#include <cerrno>
#include <set>
#include <stdexcept>
#include <system_error>

#include "plumbline/firewall/bytes/conntrack.hpp"

namespace plumbline::firewall {

namespace {

/// An answer that was under way while its flow was forgotten begins one the wrong way round.
constexpr int most_rounds = 8;

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

std::vector<Touched> touched_networks(const std::set<std::string>& names,
                                      const spec::Desired& desired) {
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

bool is_outdated(const Flow& flow, const Touched& network) {
  const bool from_guest = network.subnet.contains(flow.from);
  const bool to_guest = network.subnet.contains(flow.to);
  if (from_guest == to_guest) return false;
  return from_guest ? network.nat && !flow.has_source_nat()
                    : network.inbound && !flow.has_destination_nat();
}

wire::Request deletion(std::span<const Flow> flows) {
  wire::NetfilterChange change;
  for (const Flow& flow : flows) {
    change.messages.insert(change.messages.end(), flow.deletion.begin(), flow.deletion.end());
  }
  return change;
}

std::string words_for(const wire::Reply& reply) {
  return "flows from before cannot be ended: " + std::generic_category().message(reply.error);
}

/// Those of `flows` that are outdated, or answer one that was forgotten.
std::vector<Flow> outdated_among(std::vector<Flow> flows, const std::vector<Touched>& networks,
                                 const std::set<IpAddress>& own,
                                 const std::set<wire::Bytes>& forgotten_answers) {
  std::vector<Flow> outdated;
  for (Flow& flow : flows) {
    // Without its flow, the host's answer to a guest would be the packet that begins one, and what
    // the guest may no longer say would answer it.
    if (own.contains(flow.from) || own.contains(flow.to)) continue;
    const auto is_of = [&](const Touched& network) { return is_outdated(flow, network); };
    if (forgotten_answers.contains(flow.original) || std::ranges::any_of(networks, is_of)) {
      outdated.push_back(std::move(flow));
    }
  }
  return outdated;
}

std::vector<wire::Request> deletions(const std::vector<Flow>& flows) {
  std::vector<wire::Request> requests;
  for (std::size_t first = 0; first < flows.size(); first += most_at_once) {
    const std::size_t count = std::min(most_at_once, flows.size() - first);
    requests.push_back(deletion(std::span(flows).subspan(first, count)));
  }
  return requests;
}

}  // namespace

std::set<std::string> networks_with_flows(const Plan& plan) {
  std::set<std::string> names;
  for (const Step& step : plan.steps) {
    if (is_of_guests(step.key)) names.insert(step.networks.begin(), step.networks.end());
  }
  return names;
}

std::string flush_flows(io::Host& host, const std::set<std::string>& names,
                        const spec::Desired& desired, const State& have) try {
  const std::vector<Touched> networks = touched_networks(names, desired);
  if (networks.empty()) return {};
  const wire::Request question = wire::NetfilterQuery{flow_dump()};
  const std::set<IpAddress> own = addresses_of_host(have, desired.state);
  std::set<wire::Bytes> forgotten_answers;
  for (int round = 0; round < most_rounds; ++round) {
    const wire::Reply answer = host.exchange({&question, 1}).front();
    if (answer.error != 0) return words_for(answer);
    const std::vector<Flow> outdated =
        outdated_among(read_flows(answer.bytes), networks, own, forgotten_answers);
    if (outdated.empty()) return {};
    for (const Flow& flow : outdated) forgotten_answers.insert(flow.reply);
    for (const wire::Reply& reply : host.exchange(deletions(outdated))) {
      // ENOENT: it ended by itself meanwhile.
      if (reply.error != 0 && reply.error != ENOENT) return words_for(reply);
    }
  }
  return "flows from before begin again as fast as they are ended";
} catch (const std::runtime_error& error) {
  return std::string("flows from before cannot be seen: ") + error.what();
}

}  // namespace plumbline::firewall
