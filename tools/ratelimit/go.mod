module breakeven/tools/ratelimit

go 1.25.6

tool github.com/envoyproxy/ratelimit/src/service_cmd

require github.com/envoyproxy/ratelimit v1.4.1-0.20260122083618-3fb702589d36
