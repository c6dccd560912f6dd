<?php
require $argv[1];
foreach (json_decode(stream_get_contents(STDIN)) as $case) {
    $server = ['REQUEST_METHOD' => 'POST'];
    foreach ($case->headers as $name => $value) {
        $server['HTTP_' . strtoupper(strtr($name, '-', '_'))] = $value;
    }
    echo verify($case->secret, $server, $case->body) ? 'true' : 'false', "\n";
}
