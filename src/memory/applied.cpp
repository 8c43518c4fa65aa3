#include "plumbline/memory/applied.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "plumbline/base/digest.hpp"

namespace plumbline::memory {

std::uint64_t digest_of(std::string_view text) { return Digest().add(text).value(); }

std::uint64_t digest(const Resource& wanted) {
  Digest digest;
  digest.add(format(key_of(wanted))).add(" ");
  if (const auto* chain = std::get_if<Chain>(&wanted)) {
    digest.add(std::to_string(chain->rules.digest()));
  } else if (const auto* shared = std::get_if<SharedChain>(&wanted)) {
    digest.add(shared->policy.value_or("") + " " + std::to_string(shared->insert.digest()) + " " +
               std::to_string(shared->append.digest()));
  } else {
    digest.add(boost::json::serialize(to_spec(wanted)));
  }
  if (const auto* link = std::get_if<Link>(&wanted)) digest.add(" " + link->assignment);
  return digest.value();
}

void note_applied(std::map<std::string, std::uint64_t>& applied, const Resource& wanted) {
  applied.insert_or_assign(format(key_of(wanted)), digest(wanted));
  const auto* device = std::get_if<WireGuard>(&wanted);
  if (device == nullptr) return;
  for (const WireGuardPeer& peer : device->peers) {
    if (!peer.endpoint) continue;
    applied.insert_or_assign(endpoint_key(*device, peer), digest_of(format(*peer.endpoint)));
  }
}

bool is_applied(const Memory& memory, const Resource& wanted) {
  if (memory.applied.empty()) return false;
  const auto found = memory.applied.find(format(key_of(wanted)));
  return found != memory.applied.end() && found->second == digest(wanted);
}

}  // namespace plumbline::memory
