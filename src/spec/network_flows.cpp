#include "network_flows.hpp"

namespace plumbline::spec {

namespace {

constexpr const char* mangle = "mangle";
constexpr std::string_view answers = "-m conntrack --ctdir REPLY --ctstate RELATED,ESTABLISHED";

/// Whether the packet that an error is about went elsewhere than to who sends the error; a guest
/// has no other address, and no rule compares two fields of a packet.
///   ldxb 4*([0]&0xf); ld [x + 24]; tax; ld [12]; jne x, ret #1, or else ret #0
constexpr const char* about_anothers_packet =
    "-m bpf --bytecode \"7,177 0 0 0,64 0 0 24,7 0 0 0,32 0 0 12,29 0 1 0,6 0 0 0,6 0 0 1\"";

}  // namespace

std::string answers_of(const Network& network) {
  return std::string(answers) + " --ctreplsrc " + format(network.subnet);
}

std::string answers_to(const Network& network) {
  return std::string(answers) + " --ctorigsrc " + format(network.subnet);
}

std::string errors_about_answers_of(const Network& network) {
  return "-p icmp -m conntrack --ctdir ORIGINAL --ctstate RELATED --ctreplsrc " +
         format(network.subnet);
}

/// Behind conntrack and before any hook that ends here or leads on. What is about no flow at all is
/// not passed either: the host looks for a socket of its own by what the error says, flow or not
/// (icmp_unreach() in net/ipv4/icmp.c).
void add_error_guard(const NetworkShape& shape, NetworkResources& resources) {
  const Network& network = shape.network();
  const std::string chain = shape.chain + "-ERR";
  const std::string subnet = format(network.subnet);
  resources.insert(Family::inet, mangle, "PREROUTING", NetworkResources::Line::only,
                   "-i " + format(network.bridge) +
                       " -p icmp -m conntrack --ctstate INVALID,RELATED -j " + chain,
                   network.origin, network.bridge);
  std::vector<std::string> texts;
  if (network.anti_spoofing) texts.push_back(std::string(about_anothers_packet) + " -j DROP");
  const std::string related = "-m conntrack --ctstate RELATED ";
  texts.push_back(related + "--ctdir REPLY --ctreplsrc " + subnet + " -j RETURN");
  texts.push_back(related + "--ctdir ORIGINAL --ctorigsrc " + subnet + " -j RETURN");
  texts.emplace_back("-j DROP");
  std::vector<NetworkResources::PlacedRule> rules;
  for (std::string& text : texts) rules.push_back({std::move(text), network.origin});
  resources.add_chain(Family::inet, mangle, chain, rules, network.origin, network.bridge);
}

}  // namespace plumbline::spec
