// The links, addresses, routes, rules, sysctls and chains that assigned networks are made of.

#pragma once

#include <vector>

#include "plumbline/spec/expand.hpp"

namespace plumbline::spec {

/// Adds to `desired`, whose state need not be sorted and carries no marks yet, every resource of
/// the networks: with its place in `origins`, and in `networks` whose it is. What the spec has of
/// the same key is joined (a shared chain: rules of networks stand first), satisfied (an equal
/// value) or an error at the spec's place.
void add_network_resources(const std::vector<AssignedNetwork>& networks, const Facts& facts,
                           Desired& desired, Diagnostics& diagnostics);

}  // namespace plumbline::spec
